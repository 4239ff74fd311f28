"""What stands for each channel of a case: made in the pass that packs it, kept with it, gone with it."""

import numpy as np
import pytest

import isocenter
from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.imaging.descriptor import descriptor_of
from isocenter.model.descriptor_rows import DescriptorRow
from tests.unit.stages.cohort import BOX, Cohort


@pytest.fixture
def cohort(tmp_path):
    made = Cohort(tmp_path)
    made.document["store"] = {"shards": 1}
    for n, name in enumerate("pqrs"):
        made.ct(f"{name}/ct.nii", np.diag([1.0, 1.5, 2.0, 1.0]), seed=n)
        made.mask(f"{name}/mask1.nii", (1, BOX), affine=np.diag([1.0, 1.5, 2.0, 1.0]))
    return made


def built(cohort):
    path = cohort.folder / "cohort.yaml"
    write_yaml(path, cohort.document)
    run = isocenter.run(path, until="build")
    return run, list(tables.read(cohort.work / "build/descriptors.parquet", DescriptorRow))


def test_every_channel_of_a_packed_case_has_the_descriptor_of_its_voxels(cohort):
    run, rows = built(cohort)
    store = isocenter.open(run.store)
    assert sorted(r.case for r in rows) == sorted(store)
    for row in rows:
        case = store[row.case]
        expected = descriptor_of(np.asarray(case.image[0]), case.grid)
        assert row.channel == "ct"
        assert (row.exact, row.version) == (expected.exact, expected.version)
        assert row.vector == expected.vector.astype("<f4").tobytes()
        assert row.picture == expected.picture.tobytes()
        assert row.picture_shape == expected.picture.shape
        assert row.extent_mm == expected.extent_mm
    assert len({r.exact for r in rows}) == 4


def test_what_is_kept_keeps_its_descriptor(cohort):
    _, before = built(cohort)
    cohort.ct("t/ct.nii", np.diag([1.0, 1.5, 2.0, 1.0]), seed=9)
    cohort.mask("t/mask1.nii", (1, BOX), affine=np.diag([1.0, 1.5, 2.0, 1.0]))
    run, after = built(cohort)
    [counts] = [s.counts for s in run.stages if s.name == "build"]
    assert (counts["built"], counts["kept"]) == (1, 4)
    assert len(after) == 5
    assert {r.case: r.exact for r in before}.items() <= {r.case: r.exact for r in after}.items()
