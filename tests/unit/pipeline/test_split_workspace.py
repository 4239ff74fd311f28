"""What a workspace knows of who belongs together."""

import pytest

from isocenter.base import tables
from isocenter.base.workspace import Workspace
from isocenter.model.descriptor_rows import Pair
from isocenter.model.rows import CaseRow, Instance, LabelState, Stack, SubjectRow
from isocenter.pipeline import split_workspace as module
from isocenter.pipeline.split import split as public_split
from isocenter.pipeline.split_workspace import bonds_of, split_workspace
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.audit.near_duplicates import Compared
from isocenter.stages.split.options import NearDuplicates, SplitOptions
from isocenter.testing.rules import a_stack

SUBJECTS = 40
ENGINE = Engine(ScreenOptions())


def a_case(subject, number):
    return CaseRow(
        id=f"case-{number:02}",
        subject=subject,
        site="c",
        timepoint="",
        shard=0,
        digest=str(number),
        verdict="keep",
        channels=("ct",),
        shape=(1, 1, 1),
        spacing_mm=(1.0, 1.0, 1.0),
        labels=(LabelState(label="mass", state="positive", volume_ml=float(number)),),
        raters=(),
        attributes=(),
        statistics=("{}",),
        pixel_digest=f"pixels {number}",
    )


@pytest.fixture
def workspace(tmp_path):
    """Forty people, one case each; study 7 is filed under two of them."""
    place = Workspace(tmp_path)
    names = [place.pseudonyms().of("sub", "", f"P{n:02}", "c") for n in range(SUBJECTS)]
    for folder in ("store", "index", "build"):
        (tmp_path / folder).mkdir()
    tables.write(tmp_path / "store/cases.parquet", CaseRow, [a_case(s, n) for n, s in enumerate(names)])
    stacks = [
        a_stack(
            id=f"stack-{n}",
            subject=s,
            site="c",
            study=f"study-{7 if n in (7, 23) else n}",
            files=(f"file-{n}",),
        )
        for n, s in enumerate(names)
    ]
    tables.write(tmp_path / "index/stacks.parquet", Stack, stacks)
    instances = [
        Instance(file_id=f"file-{n}", source=0, site="c", format="dicom", study_date=f"2020{1 + n % 12:02}15")
        for n in range(SUBJECTS)
    ]
    tables.write(tmp_path / "index/instances.parquet", Instance, instances)
    people = [
        SubjectRow(id=s, site="c", modalities=("CT",), n_studies=1, n_series=1, n_instances=1) for s in names
    ]
    tables.write(tmp_path / "index/subjects.parquet", SubjectRow, people)
    place.names = names
    return place


def made(workspace, seed=0, **options):
    options = {"strategy": "stratified", **options}
    return split_workspace(workspace, SplitOptions(**options), seed=seed, previous=None, engine=ENGINE)


def together(workspace, numbers, **options):
    parts = [
        len({r.partition for r in made(workspace, seed, **options).rows if r.subject in people})
        for people in [{workspace.names[n] for n in numbers}]
        for seed in range(8)
    ]
    return set(parts) == {1}


def test_a_study_of_two_people_keeps_them_together(workspace):
    assert together(workspace, (7, 23))
    assert not together(workspace, (8, 24))
    assert "split/shared-study" in {i.rule for i in made(workspace).issues}


def test_a_placeholder_closes_the_gate(workspace):
    dummy = SubjectRow(
        id=workspace.names[3], site="c", modalities=(), n_studies=1, n_series=1, n_instances=1, is_dummy=True
    )
    tables.write(workspace.root / "index/subjects.parquet", SubjectRow, [dummy])
    (issue,) = [i for i in made(workspace).issues if i.rule == "split/dummy-subject"]
    assert (issue.severity, issue.target) == ("reject", workspace.names[3])


def test_near_duplicates_stay_together_where_that_is_asked_for(workspace, monkeypatch):
    (workspace.root / "build/descriptors.parquet").touch()
    monkeypatch.setattr(module, "descriptors_of", lambda *_: {})
    likeness = [Pair(a="case-02 ct", b="case-31 ct", score=0.99, kind="mirrored")]
    monkeypatch.setattr(module, "compare", lambda *_, **__: Compared(pairs=likeness, looks=5, dropped=3))
    asked = {"near_duplicates": NearDuplicates.TOGETHER}
    assert together(workspace, (2, 31), **asked)
    rules = {i.rule for i in made(workspace, **asked).issues}
    assert {"split/near-duplicates", "audit/pairs-not-compared"} <= rules
    done = public_split(workspace.root, strategy="stratified", near_duplicates="together")
    assert rules == {i.rule for i in done.issues}
    assert done.rows == made(workspace, **asked).rows
    assert not together(workspace, (2, 31))


def test_a_table_of_links_may_use_the_names_of_the_archive(workspace, tmp_path):
    (tmp_path / "links.csv").write_text("subject,alias\nP05,P30\n", encoding="utf-8")
    assert together(workspace, (5, 30), links=str(tmp_path / "links.csv"))
    assert not together(workspace, (5, 30))


def test_dates_become_days_and_cut_the_cohort(workspace):
    options = SplitOptions(strategy="temporal")
    bonds = bonds_of(workspace, tables.read(workspace.store / "cases.parquet", CaseRow), options)
    assert bonds.times[workspace.names[1]] == ("31", "31")
    done = made(workspace, strategy="temporal")
    pair = {workspace.names[7], workspace.names[23]}  # one study, months apart: they go by the later one
    train, test = ([r for r in done.of(p) if r.subject not in pair] for p in ("train", "test"))
    assert max(int(r.last) for r in train) < min(int(r.first) for r in test)
    assert not any("2020" in r.first for r in done.rows)
    assert public_split(workspace.root, strategy="temporal").rows == done.rows


def test_lesions_are_balanced_by_size(workspace):
    done = made(workspace, strata=("lesion_size",), fractions={"train": 0.5, "test": 0.5})
    bands = {s for r in done.rows for s in r.strata}
    assert bands == {"lesion_size=none", *(f"lesion_size=quarter {n} of 4" for n in (1, 2, 3, 4))}
    for band in bands - {"lesion_size=none"}:
        counts = [sum(band in r.strata for r in done.of(p)) for p in ("train", "test")]
        assert abs(counts[0] - counts[1]) <= 1
