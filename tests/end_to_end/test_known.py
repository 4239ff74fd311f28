"""From files of an archive to batches: what nobody looked at counts in no loss."""

import numpy as np
import pytest

import isocenter
from isocenter.base.documents import write_yaml
from tests.unit.stages.cohort import BOX, SHAPE, Cohort


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Twelve patients: every second one was drawn on in two slices alone, every third has no file for the heart."""
    cohort = Cohort(tmp_path_factory.mktemp("known"))
    for n in range(12):
        cohort.ct(f"p{n:02}/ct.nii", seed=n)
        cohort.mask(f"p{n:02}/{'sparse' if n % 2 else 'lesion'}.nii", (1, BOX))
        if n % 3:
            cohort.mask(f"p{n:02}/heart.nii", (2, np.s_[6:8, 0:2, 1:5]))
    how = {"kind": "masks", "image": "{s}/ct.nii"}
    annotations = [
        how | {"path": "{s}/lesion.nii", "values": {1: "lesion"}},
        how | {"path": "{s}/sparse.nii", "values": {1: "lesion"}, "covers": "slices"},
        how | {"path": "{s}/heart.nii", "values": {2: "heart"}},
    ]
    write_yaml(cohort.folder / "cohort.yaml", cohort.document | {"annotations": annotations})
    isocenter.run(cohort.folder / "cohort.yaml")
    return isocenter.open(cohort.work / "store")


def samples(store):
    for partition in ("train", "val", "test"):
        data = isocenter.dataset(store, partition, framework="numpy", normalise="none")
        yield from (data[n] for n in range(len(data)))


def test_every_case_tells_its_states(store):
    found = [{s.label: s.state for s in case.labels} for case in store.values()]
    assert len(found) == 12
    assert sorted((f["lesion"], f["heart"]) for f in found) == sorted(
        ("partial" if n % 2 else "positive", "positive" if n % 3 else "unknown") for n in range(12)
    )


def test_what_nobody_looked_at_counts_in_no_loss(store):
    met = set()
    for sample in samples(store):
        states = {s.label: s.state for s in store[sample["case"]].labels}
        met.add((states["lesion"], states["heart"]))
        known = np.ones(SHAPE[::-1], bool)
        if states["lesion"] == "partial":  # the heart is written over lesions: where it is, nothing is open
            known[:] = False
            known[2:4] = True
            known |= sample["mask"] == 2
        if states["heart"] == "unknown":
            known[:] = False
        np.testing.assert_array_equal(sample["loss_mask"], known)
    assert len(met) == 4
