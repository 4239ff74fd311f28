"""Slices put on even spacing: against fields whose value is known everywhere, and bit for bit where they stay."""

from dataclasses import replace

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.imaging.regular import rectangular, regularise, tilt_of
from isocenter.imaging.resample import resample
from isocenter.model.grid import Grid
from isocenter.model.volume import Slice, Volume


def sheared(tilt_deg=0.0, step=3.0, shape=(6, 8, 7), spacing=(1.5, 0.8)):
    """A grid whose planes are moved along j from one to the next, as a tilted gantry does."""
    affine = np.diag([spacing[1], spacing[0], step, 1.0])
    affine[1, 2] = step * np.tan(np.radians(tilt_deg))
    affine[:3, 3] = -20.0, 11.0, 40.0
    return Grid(shape, affine)


def ramp(grid, places, *, gradient=(3.0, -2.0, 4.0), dtype=np.int16):
    """Values that are linear in the patient: what they are at any point is known."""
    k = np.arange(len(places))
    origins = grid.affine[:3, 3] + (np.array(places) / grid.slice_distance_mm)[:, None] * grid.affine[:3, 2]
    i, j = np.meshgrid(np.arange(grid.shape[2]), np.arange(grid.shape[1]))
    plane = i[..., None] * grid.affine[:3, 0] + j[..., None] * grid.affine[:3, 1]
    points = origins[k][:, None, None] + plane
    values = points @ np.array(gradient)
    return (np.rint(values) if np.dtype(dtype).kind == "i" else values).astype(dtype)


def volume_of(places, *, tilt_deg=0.0, step=3.0, dtype=np.int16, valid=None, size=(8, 7)):
    """Slices at some places; the grid knows their mean distance only, as that of an uneven stack does."""
    mean = (places[-1] - places[0]) / (len(places) - 1)
    grid = sheared(tilt_deg, mean, (len(places), *size))
    table = tuple(
        Slice(position_mm=40.0 + p, instance=f"ins-{n}", file=f"f{n}") for n, p in enumerate(places)
    )
    array = ramp(grid, places, dtype=dtype)
    return Volume(array=array, grid=grid, unit="HU", modality="CT", valid=valid, slices=table, id="stk")


@pytest.mark.parametrize("tilt_deg", [0.0, 18.5])
@pytest.mark.parametrize(
    ("places", "usual", "count", "made"),
    [
        ((0, 3, 6, 12, 15), 3.0, 6, 1),  # one is missing
        ((0, 3, 12, 15, 24, 27), 3.0, 10, 4),
        ((0, 2.5, 5, 7.5, 12.5, 17.5, 22.5, 27.5), 2.5, 12, 4),
        ((0, 4, 8, 15, 22, 23.1, 27.1, 31.1, 35.1), 4.0, 9, 6),  # uneven
    ],
)
def test_a_linear_field_is_the_same_field_and_slices_in_place_stay_bit_for_bit(
    places, usual, count, made, tilt_deg
):
    before = volume_of(places, tilt_deg=tilt_deg)
    after = regularise(before, usual)
    assert after.grid.shape == after.array.shape == (count, 8, 7)
    assert after.grid.slice_distance_mm == pytest.approx(usual, abs=1e-9)
    assert tilt_of(after.grid) == pytest.approx(tilt_deg, abs=1e-9)
    exact = ramp(after.grid, np.arange(count) * usual, dtype=np.float64)
    assert np.abs(after.array - exact).max() <= 1.0  # the truth was rounded before, the result after
    float_after = regularise(volume_of(places, tilt_deg=tilt_deg, dtype=np.float32), usual)
    assert np.abs(float_after.array - exact).max() < 1e-4
    assert sum(s.is_synthetic for s in after.slices) == made
    for k, row in enumerate(after.slices):
        assert row.position_mm == pytest.approx(40 + k * usual)
        if not row.is_synthetic:
            n = int(row.instance.removeprefix("ins-"))
            assert row == before.slices[n]
            assert np.array_equal(after.array[k], before.array[n])
    assert np.abs(after.grid.affine[:, 3] - before.grid.affine[:, 3]).max() < 1e-9


@pytest.mark.parametrize("tilt_deg", [0.0, 18.5])
@pytest.mark.parametrize("steps_off", [-1.0, -0.4, 2.0])
def test_the_first_slice_stays_where_its_table_says_on_the_line_of_the_others(steps_off, tilt_deg):
    """The line may begin elsewhere, if it goes through most slices and the first is not one of them."""
    sound = volume_of((0, 3, 6, 12, 15), tilt_deg=tilt_deg)
    moved = sound.grid.affine.copy()
    moved[:3, 3] += steps_off * moved[:3, 2]
    found = regularise(replace(sound, grid=Grid(sound.grid.shape, moved)), 3.0)
    assert np.abs(found.grid.affine - regularise(sound, 3.0).grid.affine).max() < 1e-9
    assert np.abs(found.grid.affine[:3, 3] - sound.grid.affine[:3, 3]).max() < 1e-9


def test_integers_are_rounded_once_and_half_to_even():
    volume = volume_of((0, 3, 9))
    volume.array[1], volume.array[2] = 10, 13
    assert (regularise(volume, 3.0).array[2] == 12).all()
    volume.array[1], volume.array[2] = -32768, 32767
    assert (regularise(volume, 3.0).array[2] == 0).all()


def test_padding_on_either_side_is_padding_between():
    valid = np.ones((3, 8, 7), np.bool_)
    valid[1, 0, 0] = valid[2, 1, 1] = False
    after = regularise(volume_of((0, 3, 9), valid=valid), 3.0)
    assert (~after.valid).sum() == 2 + 2
    assert not after.valid[2, 0, 0]
    assert not after.valid[2, 1, 1]
    assert (after.array[2][~after.valid[2]] == -1024).all()


def test_it_is_told_how_many_slices_are_synthetic():
    after = regularise(volume_of((0, 3, 6, 12, 15)), 3.0)
    [issue] = after.issues
    assert (issue.rule, issue.measured, issue.unit, issue.target) == (
        "read/resampled-gaps",
        "1",
        "synthetic slices",
        "stk",
    )
    assert after.facts is None


def test_a_volume_that_would_be_made_up_for_the_most_part_is_refused():
    with pytest.raises(FormatError) as caught:
        regularise(volume_of((0, 3, 6, 3e6)), 3.0)
    assert caught.value.reason == "read/too-many-gaps"


def test_positions_written_with_two_decimals_are_in_place():
    places = tuple(round(n * 3.27, 2) + (0.005 if n % 2 else 0.0) for n in (0, 1, 2, 3, 5, 6, 7, 8))
    after = regularise(volume_of(places), 3.27)
    assert [k for k, s in enumerate(after.slices) if s.is_synthetic] == [4]
    assert after.grid.slice_distance_mm == pytest.approx(places[-1] / 8)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_tilted_stack_stands_upright_and_no_voxel_is_lost(sign):
    grid = sheared(sign * 20.0, 3.0, (9, 12, 10))
    assert tilt_of(grid) == pytest.approx(20.0)
    upright = rectangular(grid)
    assert tilt_of(upright) == 0.0
    assert upright.spacing_mm == pytest.approx((3.0, 1.5, 0.8))
    array = ramp(grid, np.arange(9) * 3.0, dtype=np.float32)
    volume = Volume(array=array, grid=grid, unit="HU", modality="CT")
    made = resample(volume, like=upright)
    exact = ramp(upright, np.arange(9) * 3.0, dtype=np.float32)
    assert made.valid is not None
    # half a voxel beyond the last centre the border goes on: there no field is linear
    inner = made.valid & np.roll(made.valid, 1, axis=1) & np.roll(made.valid, -1, axis=1)
    assert np.abs(made.array - exact)[inner].max() < 0.05
    corners = upright.to_voxel(grid.corners_mm())
    assert (corners >= -1e-9).all()
    assert (corners <= np.array(upright.shape[::-1]) - 1 + 1e-9).all()


def test_any_axis_may_be_the_one_that_is_stacked():
    grid = sheared(20.0, 3.0, (9, 12, 10))
    turned = Grid((10, 12, 9), grid.affine[:, [2, 1, 0, 3]])
    assert tilt_of(turned, 2) == pytest.approx(20.0)
    upright = rectangular(turned, 2)
    assert upright.shape == (10, rectangular(grid).shape[1], 9)
    assert np.allclose(upright.affine[:, [2, 1, 0, 3]], rectangular(grid).affine)


def test_rounding_is_no_tilt():
    grid = sheared(0.0)
    grid.affine[0, 2] = 0.001
    assert tilt_of(grid) == 0.0
