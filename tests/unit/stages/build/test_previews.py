"""Words that are read at load: the store takes them, previews follow the window, and no record is made anew."""

import numpy as np
import pytest

import isocenter
from isocenter.base.documents import write_yaml
from isocenter.imaging.windows import WINDOWS
from isocenter.model.rows import PreviewRow
from tests.unit.stages.cohort import BOX, Cohort


@pytest.fixture
def cohort(tmp_path):
    made = Cohort(tmp_path)
    made.document["store"] = {"shards": 1}
    for n, name in enumerate("pqrs"):
        made.ct(f"{name}/ct.nii", np.diag([1.0, 1.5, 2.0, 1.0]), seed=n)
        made.mask(f"{name}/mask1.nii", (1, BOX), affine=np.diag([1.0, 1.5, 2.0, 1.0]))
    return made


def channel(**words):
    return {"ct": {"modality": "CT", "path": ["*/ct.nii"]} | words}


def written(cohort, **changes):
    path = cohort.folder / "cohort.yaml"
    write_yaml(path, cohort.document | changes)
    return path


def shards(cohort):
    return {p.name: p.read_bytes() for p in (cohort.work / "store/shards").iterdir()}


def counts(run):
    [build] = [s.counts for s in run.stages if s.name == "build"]
    return build["built"], build["kept"]


def grey(cohort):
    return [(p.case, p.plane, p.image, p.mask) for p in cohort.rows("previews", PreviewRow)]


@pytest.mark.parametrize(
    "words", [{"normalise": "zscore"}, {"normalise": "cohort"}, {"windows": ["bone", "lung"]}]
)
def test_a_word_for_loading_rebuilds_nothing_and_is_what_the_data_set_uses(cohort, words):
    cohort.document["split"] = {"fractions": {"train": 1.0}}
    until = {"until": "split"}
    before = isocenter.run(written(cohort, channels=channel()), **until)
    assert counts(before) == (4, 0)
    rows = (cohort.work / "store/cases.parquet").read_bytes()
    records = shards(cohort)
    # what was fitted is of the cases, and they are the same
    isocenter.dataset(cohort.work / "store", "train", normalise="cohort", framework="numpy")
    after = isocenter.run(written(cohort, channels=channel(**words)), **until)
    assert counts(after) == (0, 4)
    assert {s.name for s in after.stages if s.state == "done"} == {"build"}
    assert shards(cohort) == records
    assert (cohort.work / "store/cases.parquet").read_bytes() == rows
    store = isocenter.open(cohort.work / "store")
    by_config = isocenter.dataset(store, "train", framework="numpy")
    said = words.get("normalise") or "window:" + ",".join(words["windows"])
    by_hand = isocenter.dataset(store, "train", normalise=said, framework="numpy")
    whole = isocenter.dataset(store, "train", normalise="window:full", framework="numpy")
    for n in range(4):
        assert np.array_equal(by_config[n]["image"], by_hand[n]["image"])
        assert not np.array_equal(by_config[n]["image"][0], whole[n]["image"][0])
    assert store.verify() == []


def test_previews_follow_the_window_without_a_record_being_made(cohort):
    cohort.run(channels=channel(windows=["bone"]))
    bone = grey(cohort)
    cohort.run(channels=channel(windows=["lung", "bone"]))
    assert counts(cohort.made) == (0, 4)
    lung = grey(cohort)
    assert [p[3] for p in lung] == [p[3] for p in bone]
    assert all(a[2] != b[2] for a, b in zip(lung, bone, strict=True))
    array = np.asarray(cohort.records()[0].image)[0]
    low, high = (WINDOWS["lung"].centre + s * WINDOWS["lung"].width / 2 for s in (-1, 1))
    expected = np.rint(np.clip((array.astype(float) - low) / (high - low), 0, 1) * 255)
    assert {*lung[0][2]} <= {*np.unique(expected).astype(int).tolist()}
    cohort.run(channels=channel(windows=["bone"]))
    assert grey(cohort) == bone


def test_a_new_case_and_a_new_window_at_once(cohort):
    cohort.run(channels=channel(windows=["bone"]))
    cohort.ct("t/ct.nii", np.diag([1.0, 1.5, 2.0, 1.0]), seed=9)
    cohort.mask("t/mask1.nii", (1, BOX), affine=np.diag([1.0, 1.5, 2.0, 1.0]))
    cohort.run(channels=channel(windows=["lung"]))
    assert counts(cohort.made) == (1, 4)
    found = grey(cohort)
    for path in (cohort.work / "build/shards").glob("*/done.json"):
        path.unlink()  # nothing is known of what was made
    cohort.run(name="again", channels=channel(windows=["lung"]))
    assert counts(cohort.made) == (5, 0)
    assert grey(cohort) == found
