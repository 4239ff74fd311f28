import numpy as np

from isocenter.imaging.shapes import Contours, MaskShape
from isocenter.model.annotation import Annotation
from isocenter.model.grid import Grid
from isocenter.model.issue import Severity
from isocenter.stages.build.contours import by_area, contour_issues

GRID = Grid((6, 10, 10), np.eye(4))


def square(z, low=2, high=5):
    return np.array([(low, low, z), (high, low, z), (high, high, z), (low, high, z)], dtype=float)


def issues(*polygons, is_xor=False):
    annotation = Annotation(id="ann", concept="x", shape=Contours(polygons, is_xor=is_xor))
    found = contour_issues(annotation, GRID)
    assert all(i.severity is Severity.NOTE and i.target == "ann" for i in found)
    return {i.rule: i.measured for i in found}


def test_contours_that_all_fit_give_no_note():
    assert issues(square(1), square(2), square(3)) == {}


def test_each_loss_is_told():
    tilted = np.add(square(3), [[0, 0, 0], [0, 0, 0], [0, 0, 2], [0, 0, 2]])
    assert issues(square(1), square(1), square(99), tilted) == {
        "read/contours-left-out": "1 duplicates, 1 off plane, 1 outside"
    }
    assert issues(square(1, 5, 20)) == {"read/contours-cut": "1 partly outside"}
    assert issues(square(1), square(4)) == {"read/contour-gaps": "2 gaps"}


def test_overlaps_are_told_unless_they_are_meant():
    assert issues(square(1, 2, 5), square(1, 4, 8)) == {"read/contours-overlap": "1 overlapping"}
    assert issues(square(1, 2, 5), square(1, 4, 8), is_xor=True) == {}


def test_other_shapes_have_none():
    assert contour_issues(Annotation(id="a", concept="x"), GRID) == []
    mask = MaskShape(np.ones(GRID.shape, bool), GRID)
    assert contour_issues(Annotation(id="a", concept="x", shape=mask), GRID) == []


def test_voxels_may_be_inside_by_their_area():
    thin = np.array([(2.9, 2, 1), (3.1, 2, 1), (3.1, 7, 1), (2.9, 7, 1)], dtype=float)
    annotation = Annotation(id="ann", concept="x", shape=Contours((thin,)))
    changed = by_area(annotation)
    assert (annotation.mask(GRID).sum(), changed.mask(GRID).sum()) == (5, 0)
    mask = Annotation(id="ann", concept="x", shape=MaskShape(np.ones(GRID.shape, bool), GRID))
    assert by_area(mask) is mask
    assert by_area(Annotation(id="a", concept="x")).shape is None


def test_oblique_planes_and_contours_that_cross_themselves_are_told():
    tilted = [
        np.array([(2, 2, z), (7, 2, z + 2.5), (7, 7, z + 2.5), (2, 7, z)], dtype=float) for z in (1.0, 2.0)
    ]
    assert issues(*tilted) == {"read/contours-oblique": "2 oblique"}
    twice = np.array([(2, 2, 1), (8, 2, 1), (8, 8, 1), (2, 8, 1), (2, 3, 1), (7, 3, 1), (7, 7, 1), (3, 7, 1)])
    assert issues(twice.astype(float)) == {"read/contours-overlap": "1 self crossing"}
