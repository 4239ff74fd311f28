"""Running again: nothing is done twice, and what depends on a change, and only that, is done anew."""

import os
import shutil
from types import SimpleNamespace

import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.model.rows import CaseRow
from isocenter.testing.simulate import simulate
from isocenter.testing.simulate.scanner import SITE_KINDS
from tests.end_to_end import cohorts

HALVES = {"fractions": {"train": 0.5, "test": 0.5}}
STAGES = ("index", "screen", "enrol", "build", "split", "audit", "report")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small archive without faults, and its workspace after one run."""
    folder = tmp_path_factory.mktemp("again")
    truth = simulate(
        folder / "hospital", patients=8, matrix=40, slices=8, faults=False, kinds=SITE_KINDS,
        truth=folder / "truth.json",
    )  # fmt: skip
    document = cohorts.segmentation(folder / "hospital", store={"shards": 4}, split=HALVES)
    path = cohorts.written(folder, document)
    done = iso.run(path)
    assert done.gate is None
    return SimpleNamespace(folder=folder, document=document, config=path, run=done, truth=truth)


@pytest.fixture
def workspace(small, tmp_path):
    """A copy of the workspace, to be changed."""
    return shutil.copytree(small.run.workspace, tmp_path / "work")


def redone(run):
    return tuple(s.name for s in run.stages if s.state == "done")


def test_a_second_run_does_nothing_and_says_so(small, workspace):
    before = cohorts.contents(workspace)
    again = iso.run(small.config, workspace=workspace)
    assert again.is_fresh
    assert redone(again) == ()
    assert any("nothing was done" in line for line in again.summary)
    after = cohorts.contents(workspace)
    changed = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    # the config as run names its sources relative to the workspace, and that was copied elsewhere
    assert changed <= {"cohort.yaml"}
    iso.run(small.config, workspace=workspace)
    assert cohorts.contents(workspace) == after


CHANGES = {
    "name": ({"name": "other"}, ("build", "report")),
    "executor": ({"executor": {"kind": "processes", "jobs": 2}}, ()),
    "seed": ({"seed": 7}, ("split", "audit", "report")),
    "fractions": ({"split": {"fractions": {"train": 0.6, "test": 0.4}}}, ("split", "audit", "report")),
    "stop share": ({"screen": {"stop_at_rejected_share": 0.95}}, ()),
    "rule on splits": (
        {"screen": {"stop_at_rejected_share": 0.9, "ignore": {"split/fractions-off-target": "few subjects"}}},
        ("split", "audit", "report"),
    ),
    "alias": (
        {"labels": cohorts.LABELS | {"heart": {"value": 2, "aliases": ["heart", "herz", "cor", "h*"]}}},
        ("enrol", "build", "split", "audit", "report"),
    ),
    "consensus": ({"agreement": {"method": "union"}}, ("enrol", "build", "split", "audit", "report")),
    "clipping": (
        {"standardise": {"hu_range": [-1000, 1000]}},
        ("enrol", "build", "split", "audit", "report"),
    ),
    "rule on images": (
        {
            "screen": {
                "stop_at_rejected_share": 0.9,
                "options": {"geometry/too-few-slices": {"min_slices": 4}},
            }
        },
        # the records come out the same, and with them the split; the audit asks what was left out, and why
        ("screen", "enrol", "build", "audit", "report"),
    ),
    "windows": (
        {"channels": {"ct": {"modality": "CT", "path": ["**"], "windows": ["lung"]}}},
        ("build", "report"),
    ),
    "normalise": (
        {"channels": {"ct": {"modality": "CT", "path": ["**"], "normalise": "zscore"}}},
        ("build", "report"),
    ),
    "modality": (
        {"channels": {"ct": {"modality": "CT", "path": ["**"], "where": {"slices": "1.."}}}},
        ("screen", "enrol", "build", "split", "audit", "report"),
    ),
    "chunk": ({"store": {"shards": 4, "chunk": [4, 16, 16]}}, ("enrol", "build", "report")),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_option_redoes_what_depends_on_it(small, workspace, tmp_path, what):
    change, expected = CHANGES[what]
    path = cohorts.written(tmp_path, small.document | change)
    again = iso.run(path, workspace=workspace)
    assert redone(again) == expected
    assert iso.run(path, workspace=workspace).is_fresh


@pytest.mark.parametrize("change", [{"seed": 7}, {"split": {**HALVES, "strategy": "grouped"}}], ids=str)
def test_a_split_that_keeps_all_places_says_so_and_claims_no_new_options(small, workspace, tmp_path, change):
    before = iso.open(workspace / "store").split("default")
    again = iso.run(cohorts.written(tmp_path, small.document | change), workspace=workspace)
    after = iso.open(workspace / "store").split("default")
    assert (after.rows, after.strategy, after.seed) == (before.rows, before.strategy, before.seed)
    assert any("8 subjects keep the place" in line and "append_only: false" in line for line in again.summary)
    assert any(f"Split default ({before.strategy})" in line for line in again.summary)
    assert "split/kept-places" in (workspace / "report.html").read_text()


def test_a_changed_option_that_no_case_depends_on_builds_no_case(small, workspace, tmp_path):
    path = cohorts.written(tmp_path, small.document | {"name": "other"})
    (built,) = (s for s in iso.run(path, workspace=workspace).stages if s.name == "build")
    assert (built.counts["built"], built.counts["kept"]) == (0, 8)


def test_touching_a_file_builds_its_case_alone(small, workspace):
    folder = small.folder / "hospital"
    ledger = cohorts.Ledger(workspace, folder, small.document["sources"])
    case = next(c for c in small.truth.cases if c.kind == "ct-rtstruct")
    planned = ledger.case_of(case.paths[0])
    shards = {p.name: p.read_bytes() for p in (workspace / "store" / "shards").iterdir()}
    info = (folder / case.paths[0]).stat()
    os.utime(folder / case.paths[0], ns=(info.st_atime_ns, info.st_mtime_ns + 1_000_000))
    try:
        again = iso.run(small.config, workspace=workspace)
    finally:
        os.utime(folder / case.paths[0], ns=(info.st_atime_ns, info.st_mtime_ns))
    counts = {s.name: s.counts for s in again.stages}
    assert counts["index"]["scanned"] == 1
    assert (counts["build"]["built"], counts["build"]["kept"]) == (1, 7)
    assert "screen" not in redone(again)
    after = {p.name: p.read_bytes() for p in (workspace / "store" / "shards").iterdir()}
    (own,) = (name for name in shards if name.startswith(f"{planned.shard:05}"))
    assert {n for n in shards if shards[n] != after[n]} <= {own}


def test_a_new_patient_gives_the_bytes_of_a_fresh_run(small, workspace, tmp_path):
    """Adding data to an old workspace ends where a new workspace with the same key would."""
    document = small.document | {"sources": small.document["sources"][:2]}
    part = tmp_path / "part" / "work"
    part.mkdir(parents=True)
    shutil.copy2(workspace / "secret.key", part / "secret.key")
    split = {**HALVES, "append_only": False}
    iso.run(cohorts.written(tmp_path / "a", document | {"split": split}), workspace=part)
    whole = cohorts.written(tmp_path / "b", small.document | {"split": split})
    grown = iso.run(whole, workspace=part)
    fresh = tmp_path / "new" / "work"
    fresh.mkdir(parents=True)
    shutil.copy2(workspace / "secret.key", fresh / "secret.key")
    iso.run(whole, workspace=fresh)
    assert grown.gate is None
    assert cohorts.data_of(part / "store") == cohorts.data_of(fresh / "store")
    assert (part / "report.html").read_bytes() == (fresh / "report.html").read_bytes()


@pytest.mark.parametrize("until", STAGES)
def test_each_stage_alone(small, tmp_path, until):
    run = iso.run(small.config, workspace=tmp_path / "work", until=until)
    assert [s.name for s in run.stages] == list(STAGES[: STAGES.index(until) + 1])
    assert run.gate is None
    assert (run.report is not None) == (until == "report")
    assert (run.store is not None) == (until in {"build", "split", "audit", "report"})
    assert sum(run.counts[s] for s in ("used", "held", "excluded", "ignored")) == run.counts["files"] > 0


def test_a_dry_run_forecasts_and_builds_nothing(small, tmp_path):
    run = iso.run(small.config, workspace=tmp_path / "work", dry_run=True)
    assert (run.store, run.report, run.gate) == (None, None, None)
    assert not (tmp_path / "work" / "store").exists()
    (line,) = (line for line in run.summary if line.startswith("Forecast:"))
    assert line.startswith("Forecast: 8 cases, at most ")
    planned = run.stages[-1].counts["bytes"]
    real = iso.run(small.config, workspace=tmp_path / "work")
    assert real.stages[3].counts["bytes"] < planned * 1.5
    assert [s.name for s in real.stages if s.state == "fresh"] == ["index", "screen", "enrol"]


def test_the_number_of_shards_stays_that_of_the_first_plan(small, tmp_path):
    """Also when a gate had closed in between and taken the plan's tables away."""
    free = {k: v for k, v in small.document.items() if k != "store"}
    first = iso.run(cohorts.written(tmp_path / "a", free), workspace=tmp_path / "work").stages[2].counts
    few = free | {"sources": free["sources"][:1]}
    nothing = free | {"channels": {"ct": {"modality": "MR", "path": ["**/*.dcm"]}}}
    assert iso.run(cohorts.written(tmp_path / "b", nothing), workspace=tmp_path / "work").gate is not None
    later = iso.run(cohorts.written(tmp_path / "c", few), workspace=tmp_path / "work").stages[2].counts
    alone = iso.run(cohorts.written(tmp_path / "c", few), workspace=tmp_path / "alone").stages[2].counts
    assert first["shards"] == later["shards"] > alone["shards"]


def test_what_a_closed_gate_leaves_speaks_of_this_run(small, workspace, tmp_path):
    """Tables of an earlier, better run are not told as this one's; its shards are used again later."""
    path = cohorts.written(
        tmp_path, small.document | {"channels": {"ct": {"modality": "MR", "path": ["**/*.dcm"]}}}
    )
    closed = iso.run(path, workspace=workspace)
    assert closed.gate.startswith("screen:")
    assert closed.counts["used"] == 0
    assert closed.store is None
    assert not (workspace / "build" / "cases.parquet").exists()
    opened = iso.run(small.config, workspace=workspace)
    assert opened.gate is None
    (built,) = (s for s in opened.stages if s.name == "build")
    assert built.counts["built"] == 0
    rows = tables.read(workspace / "store" / "cases.parquet", CaseRow)
    assert len(list(rows)) == 8
