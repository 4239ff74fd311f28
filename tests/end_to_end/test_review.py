"""Cases whose readers disagree: the list, what a person says of them, and what the next run makes of it."""

import json
import shutil

import nibabel
import numpy as np
import pytest

import isocenter as iso
from isocenter.base.documents import write_yaml
from isocenter.base.errors import ConfigError, StaleArtefact
from isocenter.cli.main import main

SHAPE = (24, 20, 12)
# where the second reader's cube lies beside the first one's 8 x 8 x 6 voxels, and the Dice by hand
SHIFTS = {"same": (0, 1.0), "near": (1, 7 / 8), "far": (4, 1 / 2), "apart": (8, 0.0)}


def _save(path, array):
    image = nibabel.Nifti1Image(array, np.diag([1.0, 1.0, 2.0, 1.0]))
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(image.affine, 1)
    image.set_qform(image.affine, 1)
    nibabel.save(image, path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("review")
    random = np.random.default_rng(3)
    for name, (shift, _) in SHIFTS.items():
        place = folder / "data" / name
        place.mkdir(parents=True)
        _save(place / "ct.nii.gz", random.integers(-200, 200, SHAPE).astype(np.int16))
        for reader, start in (("1", 2), ("2", 2 + shift)):
            mask = np.zeros(SHAPE, np.uint8)
            mask[start : start + 8, 5:13, 3:9] = 1
            _save(place / f"reader{reader}.nii.gz", mask)
    document = {
        "task": "segmentation",
        "sources": [{"path": "data", "site": "s", "subject": {"pattern": ["{subject}/*"]}}],
        "channels": {"ct": {"modality": "CT", "path": ["*/ct.nii.gz"]}},
        "labels": {"lesion": {"value": 1}},
        "annotations": [
            {
                "kind": "masks",
                "rater": "r{n}",
                "path": "{subject}/reader{n}.nii.gz",
                "image": "{subject}/ct.nii.gz",
            }
        ],
        "screen": {"severity": {"header/missing-device": "note"}},
        "executor": {"kind": "serial"},
        "workspace": "work",
    }
    write_yaml(folder / "cohort.yaml", document)
    iso.run(folder / "cohort.yaml", until="build")
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy of the cohort as it was built."""
    return shutil.copytree(made, tmp_path / "copy")


def waiting(folder):
    return {w.case: w for w in iso.review(folder / "work") if w.state == "waiting"}


def verdicts(folder):
    store = iso.open(folder / "work" / "store")
    return {row.id: str(row.verdict) for row in store.rows()}


def test_the_list_has_each_case_below_and_why(made):
    found = waiting(made)
    dices = sorted(dice for _, dice in SHIFTS.values() if dice < 0.7)
    assert sorted(w.agreements[0].dice for w in found.values()) == pytest.approx(dices)
    for row in found.values():
        [issue] = row.issues
        assert issue.rule == "annotation/low-agreement"
        assert issue.measured == f"{row.agreements[0].dice:.3f}"
        assert row.labels[0].volume_ml == pytest.approx(row.agreements[0].dice * 8 * 8 * 6 * 2 / 1000)


def test_an_accepted_case_is_kept_and_the_others_stay(folder):
    first, second = waiting(folder)
    before = {p: p.read_bytes() for p in (folder / "work" / "store" / "shards").iterdir()}
    iso.decide(folder / "work", [first], "accept", why="a vague border", by="Dr. A")
    assert verdicts(folder)[first] == "review"
    [row] = [w for w in iso.review(folder / "work") if w.case == first]
    assert (row.state, row.is_new, row.decision.by) == ("accepted", True, "Dr. A")
    iso.run(folder / "cohort.yaml", until="build")
    assert verdicts(folder)[first] == "keep"
    assert list(waiting(folder)) == [second]
    changed = [p for p, data in before.items() if p.read_bytes() != data]
    assert len(changed) == 1
    # a second run finds nothing to do
    again = {p: p.stat().st_mtime_ns for p in before}
    iso.run(folder / "cohort.yaml", until="build")
    assert {p: p.stat().st_mtime_ns for p in before} == again


def test_a_rejected_case_leaves_and_comes_back(folder):
    first, second = waiting(folder)
    iso.decide(folder / "work", [first], "reject", why="the wrong patient")
    iso.run(folder / "cohort.yaml", until="build")
    assert first not in verdicts(folder)
    assert list(waiting(folder)) == [second]
    with pytest.raises(ConfigError, match="reopen takes that back"):
        iso.decide(folder / "work", [first], "accept", why="the right one")
    iso.decide(folder / "work", [first], "reopen", why="the right one")
    assert [(w.case, w.is_new) for w in waiting(folder).values()] == [(first, True), (second, False)]
    iso.run(folder / "cohort.yaml", until="build")
    assert verdicts(folder)[first] == "review"
    assert list(waiting(folder)) == [first, second]


def test_what_has_changed_since_is_not_accepted(folder):
    [case] = [w.case for w in waiting(folder).values() if w.agreements[0].dice == 0.5]
    iso.decide(folder / "work", [case], "accept", why="fine")
    mask = np.zeros(SHAPE, np.uint8)
    mask[7:15, 5:13, 3:9] = 1
    _save(folder / "data" / "far" / "reader2.nii.gz", mask)
    iso.run(folder / "cohort.yaml", until="build")
    assert verdicts(folder)[case] == "review"
    [row] = [w for w in waiting(folder).values() if w.case == case]
    assert row.agreements[0].dice == 3 / 8


def test_the_reason_does_not_leave_the_workspace(folder):
    first, _ = waiting(folder)
    iso.decide(folder / "work", [first], "accept", why="as Mrs Miller said", by="Dr. Zebra")
    iso.run(folder / "cohort.yaml", until="build")
    for path in (folder / "work" / "store").rglob("*"):
        if path.is_file():
            assert b"Zebra" not in path.read_bytes()
            assert b"Miller" not in path.read_bytes()


def test_wrong_decisions_are_told_together_and_nothing_is_written(folder):
    first, _ = waiting(folder)
    kept = next(c for c, v in verdicts(folder).items() if v == "keep")
    with pytest.raises(ConfigError) as caught:
        iso.decide(folder / "work", [first, kept, first + "x"], "accept", why="fine")
    assert f"{kept} does not wait" in str(caught.value)
    assert f"did you mean {first!r}" in str(caught.value)
    for word, why in (("reopen", "fine"), ("accept", " ")):
        with pytest.raises(ConfigError):
            iso.decide(folder / "work", [first], word, why=why)
    assert not (folder / "work" / "decisions.jsonl").exists()


def test_a_list_changed_by_hand_stops_the_run(folder):
    first, _ = waiting(folder)
    iso.decide(folder / "work", [first], "reject", why="fine")
    path = folder / "work" / "decisions.jsonl"
    path.write_text(path.read_text().replace('"reject"', '"accept"'))
    with pytest.raises(ConfigError, match=r"decisions\.jsonl, line 1"):
        iso.run(folder / "cohort.yaml", until="build")


def test_nothing_built_is_nothing_to_review(tmp_path):
    with pytest.raises(StaleArtefact):
        iso.review(tmp_path)


def test_the_command(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)

    def say(*words):
        with pytest.raises(SystemExit) as caught:
            main(list(words))
        return caught.value.code, capsys.readouterr().out

    code, out = say("review")
    assert code == 0
    assert "lesion: the worst pair of raters has a Dice of 0.500, below 0.7" in out
    assert "the consensus that is packed: nothing of any label" in out
    assert "2 to review, 0 decided" in out
    first, second = waiting(folder)
    assert f"isocenter review accept {first} --workspace work --because" in out
    assert say("review", "accept", first, "--because", "fine", "--by", "me")[0] == 0
    assert say("review", "reject", second, "--because", "not fine", "--by", "me")[0] == 0
    code, out = say("review", "--json")
    assert {(w["case"], w["state"], w["is_new"]) for w in json.loads(out)} == {
        (first, "accepted", True),
        (second, "rejected", True),
    }
    assert say("review", "accept", first)[0] == 2
