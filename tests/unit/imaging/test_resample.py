from dataclasses import replace

import numpy as np
import pytest

import isocenter
from isocenter.base.errors import ConfigError
from isocenter.imaging.affine import canonical
from isocenter.imaging.regular import rectangular
from isocenter.imaging.resample import KERNELS, resample, resample_array, target_grid
from isocenter.model.grid import Grid
from isocenter.model.volume import Slice, Volume

SHAPE = (6, 20, 24)
GRID = Grid(SHAPE, np.array([[-0.7, 0, 0, 9], [0, -0.7, 0, 20], [0, 0, 2.5, -30], [0, 0, 0, 1.0]]), "frame")


def noise(dtype: str = "int16", shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(0).integers(-1000, 1000, shape).astype(dtype)


def volume(**more: object) -> Volume:
    rows = tuple(Slice(position_mm=-30 + 2.5 * k, instance=f"slice-{k}") for k in range(SHAPE[0]))
    values = {"array": noise(), "grid": GRID, "unit": "HU", "modality": "CT", "slices": rows, "id": "one"}
    return Volume(**{**values, **more})


@pytest.mark.parametrize("kernel", KERNELS)
def test_its_own_grid_changes_nothing(kernel: str) -> None:
    found = isocenter.resample(volume(), like=volume(), kernel=kernel)
    assert np.array_equal(found.array, noise())
    assert found.valid is None
    assert found.slices == volume().slices
    assert found.id == "one"


def test_target_grids_keep_what_they_are_named_for() -> None:
    centre = target_grid(GRID, (1.0, 2.0, 0.5))
    assert centre.shape == (15, 7, 34)
    assert centre.spacing_mm == pytest.approx((1, 2, 0.5))
    assert np.allclose(centre.corners_mm().mean(axis=0), GRID.corners_mm().mean(axis=0))
    origin = target_grid(GRID, 1.0, "origin")
    assert np.allclose(origin.affine[:3, 3], GRID.affine[:3, 3])
    corner = target_grid(GRID, 1.0, "corner")
    outer = np.array([[-0.5, -0.5, -0.5]])
    assert np.allclose(corner.to_world(outer), GRID.to_world(outer))
    assert origin.shape == corner.shape == (15, 14, 17)
    assert corner.frame_of_reference == "frame"


def test_a_sliver_of_rounding_makes_no_voxel() -> None:
    grid = Grid((60, 4, 4), np.diag([1, 1, 3.00000001, 1]))
    assert target_grid(grid, 1.0).shape[0] == 180
    assert target_grid(Grid((60, 4, 4), np.diag([1, 1, 3.001, 1])), 1.0).shape[0] == 181


def test_ibsi_grid_of_the_ct_phantom() -> None:
    # IBSI 1 lung phantom: 204 x 201 x 60 voxels of 0.977 x 0.977 x 3 mm, configurations C to E.
    grid = Grid((60, 201, 204), np.diag([0.9765625, 0.9765625, 3.0, 1.0]))
    assert target_grid(grid, 2.0).shape == (90, 99, 100)


@pytest.mark.parametrize("kernel", KERNELS)
def test_values_and_directions_survive_another_storage_order(kernel: str) -> None:
    reorder = canonical(GRID)
    target = target_grid(reorder.grid, (1.3, 0.6, 0.9))
    target.affine[:3, 3] += 0.01  # no voxel halfway between two
    straight, _ = resample_array(reorder.apply(noise()), reorder.grid, target, kernel=kernel)
    turned, _ = resample_array(noise(), GRID, target, kernel=kernel)
    assert np.abs(straight.astype(int) - turned).max() <= (0 if kernel in {"nearest", "linear"} else 1)
    sagittal = Grid((20, 24, 6), GRID.affine[:, [0, 2, 1, 3]][:, [1, 0, 2, 3]])
    stored = np.ascontiguousarray(noise().transpose(1, 2, 0))
    assert np.allclose(sagittal.affine[:3, 0], GRID.affine[:3, 2])
    permuted, _ = resample_array(stored, sagittal, target, kernel=kernel)
    assert np.array_equal(permuted, turned)


def test_outside_is_background_and_not_valid() -> None:
    affine = GRID.affine.copy()
    affine[0, 3] += 5 * -0.7
    found = resample(volume(), like=Grid(SHAPE, affine))
    assert found.valid is not None
    assert found.valid[..., :19].all()
    assert not found.valid[..., 19:].any()
    assert (found.array[..., 19:] == -1024).all()
    assert np.array_equal(found.array[..., :19], noise()[..., 5:])
    pet = resample(volume(unit="SUVbw", array=noise("float32")), like=Grid(SHAPE, affine))
    assert (pet.array[..., 19:] == 0).all()


@pytest.mark.parametrize("is_turned", [False, True])
def test_padding_never_leaks_into_valid_voxels(is_turned: bool) -> None:
    valid = np.ones(SHAPE, dtype=bool)
    valid[..., :6] = False
    array = np.where(valid, 100, -1024).astype(np.int16)
    target = target_grid(GRID, (2.5, 0.5, 0.5))
    if is_turned:
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]]
        target = Grid(target.shape, turn @ target.affine)
    found = resample(volume(array=array, valid=valid), like=target)
    assert found.valid is not None
    assert 0.4 < found.valid.mean() < 0.8
    assert found.array[found.valid].min() >= 98
    assert (found.array[~found.valid] == -1024).all()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_integers_stay_integers_in_range(dtype: str, kernel: str) -> None:
    info = np.iinfo(dtype)
    high = min(int(info.max), 2**23)
    array = np.where(np.random.default_rng(1).random(SHAPE) > 0.5, high, max(int(info.min), -(2**23)))
    found, _ = resample_array(array.astype(dtype), GRID, target_grid(GRID, 0.6), kernel=kernel)
    assert found.dtype == np.dtype(dtype)
    assert found.max() >= high
    assert found.min() <= max(int(info.min), -(2**23))


def test_other_numbers_become_float32() -> None:
    found, _ = resample_array(noise("float64"), GRID, target_grid(GRID, 1.0))
    assert found.dtype == np.float32


def test_halves_are_rounded_to_the_even_number() -> None:
    grid = Grid((1, 1, 4), np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = 0.5
    array = np.array([[[0, 1, 2, 5]]], dtype=np.int16)
    found, _ = resample_array(array, grid, Grid((1, 1, 3), moved))
    assert found.ravel().tolist() == [0, 2, 4]


def test_smoothing_is_only_where_voxels_grow() -> None:
    stripes = np.zeros(SHAPE, dtype=np.float32)
    stripes[..., ::2] = 1.0
    coarse = target_grid(GRID, (2.5, 0.7, 2.8))
    smooth, _ = resample_array(stripes, GRID, coarse)
    plain, _ = resample_array(stripes, GRID, coarse, antialias=False)
    assert np.abs(smooth[..., 1:-1] - 0.5).max() < 0.01
    assert np.array_equal(smooth[0, 0], smooth[3, 7])
    fine = target_grid(GRID, (2.5, 0.7, 0.35))
    assert np.array_equal(
        resample_array(stripes, GRID, fine)[0], resample_array(stripes, GRID, fine, antialias=False)[0]
    )
    picked, _ = resample_array(stripes, GRID, coarse, kernel="nearest")
    assert set(np.unique(picked).tolist()) <= {0.0, 1.0}
    assert plain.shape == smooth.shape


@pytest.mark.parametrize("kernel", ["linear", "cubic", "lanczos", "area"])
def test_slices_that_slide_are_not_smoothed(kernel: str) -> None:
    tilted = GRID.affine.copy()
    tilted[1, 2] += 3.0  # slices slide by several voxels, and none of these grows
    grid = Grid(GRID.shape, tilted)
    found, _ = resample_array(noise(), grid, rectangular(grid), kernel=kernel)
    plain, _ = resample_array(noise(), grid, rectangular(grid), kernel=kernel, antialias=False)
    assert np.array_equal(found, plain)


def test_smoothing_in_rows_and_freely_is_the_same() -> None:
    coarse = target_grid(GRID, (5.0, 2.1, 1.4))
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(1e-3), -np.sin(1e-3)], [np.sin(1e-3), np.cos(1e-3)]]
    centre = GRID.corners_mm().mean(axis=0)
    turn[:3, 3] = centre - turn[:3, :3] @ centre
    rows, _ = resample_array(noise("float32"), GRID, coarse)
    free, _ = resample_array(noise("float32"), GRID, Grid(coarse.shape, turn @ coarse.affine))
    assert np.abs(rows - free).max() < 10  # a milliradian on noise of 1000
    assert np.corrcoef(rows.ravel(), free.ravel())[0, 1] > 0.9999


def test_single_planes_are_volumes_too() -> None:
    grid = Grid((1, 20, 24), np.diag([0.5, 0.5, 1, 1]))
    for kernel in KERNELS:
        found, valid = resample_array(noise(shape=(1, 20, 24)), grid, target_grid(grid, 0.25), kernel=kernel)
        assert found.shape == (4, 40, 48)
        assert np.array_equal(found[0], found[3])
        assert valid is None


def test_slices_on_old_planes_keep_their_names() -> None:
    found = resample(volume(), spacing_mm=(1.25, 1, 1), align="origin")
    assert [s.instance for s in found.slices[:4]] == ["slice-0", "", "slice-1", ""]
    assert not any(s.is_synthetic for s in found.slices)  # somebody acquired what is around each of them
    assert [s.position_mm for s in found.slices[:3]] == pytest.approx([-30, -28.75, -27.5])
    assert len(found.slices) == found.array.shape[0] == 12
    assert resample(volume(slices=()), spacing_mm=1.0).slices == ()


@pytest.mark.parametrize("kernel", ["nearest", "linear", "area"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("spacing_mm", [1.25, 2.0, 2.5, 4.1, 6.0])
def test_a_plane_is_synthetic_if_it_has_something_of_a_synthetic_slice(
    kernel: str, spacing_mm: float, *, antialias: bool
) -> None:
    array = np.zeros(SHAPE, np.float32)
    array[3] = 1.0  # so that values are the share of that slice
    rows = [replace(s, is_synthetic=k == 3, instance=f"slice-{k}") for k, s in enumerate(volume().slices)]
    before = volume(array=array, slices=tuple(rows), unit="stored")
    for align in ("centre", "origin"):
        how = {"align": align, "kernel": kernel, "antialias": antialias}
        found = resample(before, spacing_mm=(spacing_mm, 0.7, 0.7), **how)
        assert [s.is_synthetic for s in found.slices] == [bool(p.max() > 1e-3) for p in found.array]
        assert {s.instance for s in found.slices if s.is_synthetic} <= {""}


def test_planes_that_cut_across_slices_name_none_and_are_not_synthetic() -> None:
    rows = tuple(replace(s, is_synthetic=True) for s in volume().slices)
    sagittal = Grid(SHAPE[::-1], GRID.affine[:, [2, 1, 0, 3]])
    found = resample(volume(slices=rows), like=sagittal)
    assert len(found.slices) == SHAPE[2]
    assert {(s.instance, s.is_synthetic) for s in found.slices} == {("", False)}


def test_how_it_was_made_is_recorded() -> None:
    found = resample(volume(provenance={"reader": "x"}), spacing_mm=1, kernel="cubic", antialias=False)
    assert found.provenance == {"reader": "x", "resample": "cubic, centre, plain"}


def turned_by(grid: Grid, degrees: float) -> Grid:
    turn, angle = np.eye(4), np.deg2rad(degrees)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    centre = grid.corners_mm().mean(axis=0)
    turn[:3, 3] = centre - turn[:3, :3] @ centre
    return Grid(grid.shape, turn @ grid.affine)


def sheared(grid: Grid) -> Grid:
    affine = grid.affine.copy()
    affine[1, 2] += 0.4
    return Grid(grid.shape, affine)


@pytest.mark.parametrize("way", ["rows", "sheared", "freely"])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("antialias", [True, False])
def test_any_number_of_threads_makes_the_same_bytes(kernel: str, way: str, antialias: bool) -> None:
    target = target_grid(GRID, (1.1, 0.5, 1.6))
    target = {"rows": target, "sheared": sheared(target), "freely": turned_by(target, 20)}[way]
    valid = noise() > -900
    made = {}
    for threads in (1, 2, 3, 50):
        options = {"kernel": kernel, "antialias": antialias, "threads": threads}
        found, inside = resample_array(noise(), GRID, target, valid=valid, background=-5, **options)
        floats, _ = resample_array(noise("float32"), GRID, target, **options)
        made[threads] = (found.tobytes(), inside.tobytes(), floats.tobytes())
    assert made[1] == made[2] == made[3] == made[50]


def test_threads_are_an_option_of_the_public_function() -> None:
    one = resample(volume(), spacing_mm=1.0, kernel="cubic")
    two = resample(volume(), spacing_mm=1.0, kernel="cubic", threads=2)
    assert np.array_equal(one.array, two.array)
    assert one.provenance == two.provenance


@pytest.mark.parametrize("way", ["rows", "sheared", "freely"])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_padding_and_spreads_nowhere(kernel: str, way: str, bad: float) -> None:
    target = target_grid(GRID, (1.1, 0.5, 0.6))
    target = {"rows": target, "sheared": sheared(target), "freely": turned_by(target, 20)}[way]
    array = noise("float32")
    array[2, 5:9, 7:11] = bad
    filled = np.where(np.isfinite(array), array, np.float32(3))
    found, valid = resample_array(array, GRID, target, kernel=kernel, background=3)
    expected, where = resample_array(
        filled, GRID, target, kernel=kernel, background=3, valid=np.isfinite(array)
    )
    assert np.isfinite(found).all()
    assert np.array_equal(found, expected)
    assert valid is not None
    assert np.array_equal(valid, where)
    _, without = resample_array(filled, GRID, target, kernel=kernel)
    inside = np.ones(target.shape, bool) if without is None else without
    assert 8 < np.count_nonzero(inside & ~valid) < 700
    assert (found[~valid] == 3).all()


def test_padding_and_what_is_no_number_are_both_not_valid() -> None:
    array, valid = noise("float32"), np.ones(SHAPE, dtype=bool)
    array[0, 0, 0], valid[5, 19, 23] = np.nan, False
    found = resample(volume(array=array, valid=valid, unit="SUVbw"), like=GRID)
    assert found.valid is not None
    assert not found.valid[0, 0, 0]
    assert not found.valid[5, 19, 23]
    assert np.count_nonzero(~found.valid) == 2
    assert np.isnan(array[0, 0, 0])  # what was given is as it was


@pytest.mark.parametrize("way", ["rows", "sheared", "freely"])
def test_what_is_valid_everywhere_stays_so(way: str) -> None:
    target = target_grid(GRID, 1.3)
    target = {"rows": target, "sheared": sheared(target), "freely": turned_by(target, 20)}[way]
    plain, inside = resample_array(noise(), GRID, target)
    masked, valid = resample_array(noise(), GRID, target, valid=np.ones(SHAPE, dtype=bool))
    assert np.array_equal(plain, masked)
    assert (valid is None) == (inside is None) == (way == "rows")


def test_an_area_is_the_mean_of_the_voxels_in_it() -> None:
    grid = Grid((4, 6, 8), np.eye(4))
    array = np.random.default_rng(0).random(grid.shape).astype(np.float32)
    found, _ = resample_array(array, grid, target_grid(grid, 2.0), kernel="area")
    assert np.abs(found - array.reshape(2, 2, 3, 2, 4, 2).mean(axis=(1, 3, 5))).max() < 1e-6
    again, _ = resample_array(array, grid, target_grid(grid, 2.0), kernel="area", antialias=False)
    assert np.array_equal(found, again)


@pytest.mark.parametrize("kernel", ["linear", "cubic", "lanczos", "area"])
def test_a_wave_too_fast_for_an_oblique_grid_is_damped(kernel: str) -> None:
    grid = Grid((24, 48, 48), np.eye(4))
    wave = np.tile(np.cos(2 * np.pi * 0.4 * np.arange(48.0)), (24, 48, 1)).astype(np.float32)
    target = turned_by(target_grid(grid, 3.0), 15)
    smooth, valid = resample_array(wave, grid, target, kernel=kernel)
    plain, _ = resample_array(wave, grid, target, kernel="linear", antialias=False)
    well = valid if valid is not None else np.ones(target.shape, bool)
    well[:, :3], well[:, -3:], well[:, :, :3], well[:, :, -3:] = False, False, False, False
    assert np.abs(plain[well]).max() > 0.8
    assert np.abs(smooth[well]).max() < (0.3 if kernel == "area" else 0.12)


def test_the_greatest_integers_do_not_turn_over() -> None:
    for dtype in (np.int32, np.uint32, np.int16, np.uint16, np.uint8):
        info = np.iinfo(dtype)
        array = np.where(noise() > 0, info.max, info.min).astype(dtype)
        found, _ = resample_array(array, GRID, target_grid(GRID, 0.6), kernel="cubic")
        assert found.max() >= info.max * (1 - 1e-6)
        assert found.min() == info.min


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"spacing_mm": 1.0, "like": GRID},
        {"spacing_mm": 0.0},
        {"spacing_mm": (1.0, -1.0, 1.0)},
        {"spacing_mm": float("nan")},
        {"spacing_mm": 1.0, "kernel": "sinc"},
        {"spacing_mm": 1.0, "threads": 0},
        {"spacing_mm": 1.0, "align": "center"},
    ],
)
def test_wrong_questions(options: dict) -> None:
    with pytest.raises(ConfigError):
        resample(volume(), **options)


def test_an_array_of_another_shape_is_a_bug() -> None:
    with pytest.raises(ValueError, match="its grid"):
        resample_array(noise()[1:], GRID, GRID)
