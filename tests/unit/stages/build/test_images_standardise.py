"""Spacing, alignment and kernel of the config are those of the packed volume."""

import json

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

import isocenter
from isocenter.imaging.labels import resample_labels
from isocenter.imaging.resample import ALIGNMENTS, resample_array, target_grid
from isocenter.imaging.taps import KERNELS
from isocenter.model.grid import Grid
from isocenter.stages.build.options import Standardise
from tests.unit.stages.cohort import BOX, SHAPE, Cohort

AFFINE = np.diag([0.75, 0.5, 2.5, 1.0])


@pytest.fixture
def cohort(tmp_path):
    return Cohort(tmp_path)


def planted(cohort, affine=AFFINE, name="p") -> tuple[np.ndarray, Grid]:
    """One case, and what is stored of it in the order of the packed axes."""
    array = cohort.ct(f"{name}/ct.nii", affine)
    cohort.mask(f"{name}/mask1.nii", (1, BOX), affine=affine)
    return np.ascontiguousarray(array.T), Grid(SHAPE[::-1], affine)


@pytest.mark.parametrize("align", ALIGNMENTS)
def test_grids_share_what_the_config_says(cohort, align):
    array, grid = planted(cohort)
    cohort.run(standardise={"spacing": [2.0, 0.6, 0.6], "align": align})
    [record] = cohort.records()
    target = target_grid(grid, (2.0, 0.6, 0.6), align)
    assert np.allclose(record.grid.affine, target.affine, atol=1e-6)
    assert np.array_equal(
        np.asarray(record.image)[0], resample_array(array, grid, target, background=-1024)[0]
    )


@pytest.mark.parametrize("kernel", KERNELS)
def test_voxels_are_those_of_the_kernel(cohort, kernel):
    array, grid = planted(cohort)
    cohort.run(standardise={"spacing": 0.9, "kernel": kernel, "hu_range": None})
    [record] = cohort.records()
    expected, _ = resample_array(array, grid, target_grid(grid, 0.9), kernel=kernel, background=-1024)
    assert np.array_equal(np.asarray(record.image)[0], expected)


def test_isotropic_is_the_finest_of_the_medians(cohort):
    for number, k_mm in enumerate((2.0, 2.5, 4.0)):
        planted(cohort, np.diag([0.75, 0.5, k_mm, 1.0]), f"p{number}")
    cohort.run(standardise={"spacing": "isotropic"})
    assert {r.grid.spacing_mm for r in cohort.records()} == {(0.5, 0.5, 0.5)}
    cohort.run(standardise={"spacing": "median"})
    assert {r.grid.spacing_mm for r in cohort.records()} == {(2.5, 0.5, 0.75)}


def test_trilinear_alone_is_what_scipy_makes_of_it(cohort):
    """Plain trilinear interpolation on a centred grid, as the IBSI reference manual has it: nothing is smoothed."""
    array, grid = planted(cohort)
    made = {}
    for antialias in (True, False):
        cohort.run(standardise={"spacing": 3.0, "antialias": antialias})
        [record] = cohort.records()
        made[antialias] = np.asarray(record.image)[0]
    kji = np.indices(record.grid.shape).reshape(3, -1)
    places = grid.to_voxel(record.grid.to_world(kji[::-1].T.astype(float)))[:, ::-1].T
    plain = map_coordinates(array.astype(float), places, order=1, mode="nearest").reshape(record.grid.shape)
    assert np.abs(made[False] - plain).max() <= 0.501
    assert np.abs(made[True] - plain).max() > 50


@pytest.mark.parametrize("kernel", ["vote", "nearest"])
def test_masks_are_those_of_the_kernel_for_labels(cohort, kernel):
    planted(cohort)
    mask = cohort.mask("p/mask1.nii", (1, BOX), (2, np.s_[0:2, 2:6, 1:5]), affine=AFFINE)
    cohort.run(standardise={"spacing": [1.1, 0.8, 0.9], "label_kernel": kernel})
    [record] = cohort.records()
    before = Grid(SHAPE[::-1], AFFINE)
    expected = resample_labels(np.ascontiguousarray(mask.T), before, record.grid, kernel=kernel)
    assert np.array_equal(np.asarray(record.mask), expected)
    other = resample_labels(
        np.ascontiguousarray(mask.T),
        before,
        record.grid,
        kernel={"vote": "nearest", "nearest": "vote"}[kernel],
    )
    assert not np.array_equal(expected, other)


def test_the_store_says_by_which_conventions_it_was_made(cohort):
    planted(cohort)
    words = {
        "spacing": [2.0, 0.6, 0.6],
        "align": "corner",
        "kernel": "cubic",
        "antialias": False,
        "pet": "stored",
    }
    cohort.run(standardise=words)
    store = isocenter.open(cohort.work / "store")
    said = store.manifest.standardise
    assert {n: said[n] for n in words} == words | {"spacing": (2.0, 0.6, 0.6)}
    assert set(said) == {*Standardise.__dataclass_fields__} - {"max_case_bytes"}
    path = cohort.work / "store" / "manifest.json"
    before = path.read_bytes()
    assert json.loads(before)["manifest"]["standardise"]["hu_range"] == [-1024, 3071]
    cohort.run(name="n", standardise=words | {"max_case_bytes": 1 << 31})
    assert path.read_bytes() == before


def test_unknown_kernels_are_refused():
    for word in ("kernel", "label_kernel", "align", "foreground"):
        with pytest.raises(ValueError, match=f"{word} must be one of"):
            Standardise(**{word: "magic"})
