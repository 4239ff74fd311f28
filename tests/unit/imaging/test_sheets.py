import numpy as np
import pytest

from isocenter.imaging.shapes import Contours
from isocenter.imaging.sheets import sheets_of
from isocenter.model.grid import Grid

GRID = Grid((20, 30, 30), np.eye(4))
TILT = np.array([[1, 0, 0], [0, np.cos(0.5), -np.sin(0.5)], [0, np.sin(0.5), np.cos(0.5)]]).T
MIDDLE = np.array((15.0, 15.0, 10.0))


def square(t, half=5.0, axes=TILT, middle=MIDDLE):
    flat = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    return middle + flat @ axes[:2] + t * axes[2]


def slabs(sheets):
    return [(round(s.high_mm - s.low_mm, 6), len(s.polygons)) for s in sorted(sheets, key=lambda s: s.low_mm)]


def test_each_plane_stands_for_half_the_way_to_its_neighbours():
    assert slabs(sheets_of([square(t) for t in (0, 2, 4)], GRID)) == [(2, 1), (2, 1), (2, 1)]


def test_a_plane_that_is_far_from_the_others_is_no_thicker_than_they():
    assert slabs(sheets_of([square(t) for t in (0, 1, 2, 8)], GRID)) == [(1, 1)] * 4


def test_contours_of_one_plane_are_one_sheet():
    assert slabs(sheets_of([square(0), square(1), square(1, half=2.0)], GRID)) == [(1, 1), (1, 2)]


@pytest.mark.parametrize(
    "polygons",
    [
        [square(0)],
        [square(0), square(0, half=2.0)],
        [square(0), np.stack([MIDDLE, MIDDLE + 1, MIDDLE + 2])],
        [square(0) * 1e200, square(1) * 1e200],
        [square(n) + np.array([(0, 0, 0), (0, 0, 2), (0, 0, 0), (0, 0, 2)]) for n in (0, 1)],
    ],
    ids=["one", "one plane", "a line", "huge", "not flat"],
)
def test_what_is_no_stack_of_planes_is_in_no_sheet(polygons):
    assert sheets_of(polygons, GRID) == []
    shape = Contours(tuple(polygons))
    assert not shape.mask(GRID).any()
    assert shape.report(GRID).filled == 0


def test_contours_in_very_many_directions_take_no_time_and_are_told():
    random = np.random.default_rng(1)
    polygons = tuple(MIDDLE + random.normal(size=(3, 3)) * 5 for _ in range(3000))
    report = Contours(polygons).report(GRID)
    assert report.off_plane > 2500
    assert report.contours == 3000


def test_voxels_on_the_border_of_two_sheets_are_in_one():
    low, high = (Contours(tuple(square(t, 4.2) for t in ts)) for ts in ((-2, -1, 0), (1, 2, 3)))
    both = Contours(low.polygons + high.polygons).mask(GRID)
    assert not (low.mask(GRID) & high.mask(GRID)).any()
    assert np.array_equal(low.mask(GRID) | high.mask(GRID), both)
    assert both.sum() > 400


def test_sheets_outside_the_image_are_told():
    far = MIDDLE + np.array((200.0, 0, 0))
    report = Contours(tuple(square(t, middle=far) for t in (0, 1, 2))).report(GRID)
    assert (report.outside, report.oblique, report.filled) == (3, 0, 0)
