"""Fractional annotations become masks by the threshold of their source."""

import numpy as np
import pytest

from isocenter.imaging.shapes import FractionShape, MaskShape
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.reasons import because
from isocenter.stages.build.fractions import cut

GRID = Grid((2, 3, 4), np.eye(4))
VALUES = np.arange(24, dtype=np.uint8).reshape(GRID.shape)


def drawn(shape):
    note = because("read/fraction-threshold", measured="OCCUPANCY", expected="0.5 of 23")
    other = because("read/grid-reordered", expected="RAS")
    return Annotation(id="a", concept="x", shape=shape, issues=(note, other))


@pytest.mark.parametrize(("fraction", "least"), [(0.5, 12), (0.25, 6), (1.0, 23), (0.01, 1)])
def test_voxels_that_reach_the_threshold_are_in(fraction, least):
    found = cut(drawn(FractionShape(VALUES, 23, GRID)), fraction)
    assert np.array_equal(found.mask(GRID), least <= VALUES)
    assert found.state is AnnotationState.MARKED
    assert [i.expected for i in found.issues] == [f"{fraction:g} of 23", "RAS"]


def test_where_none_does_the_annotation_is_absent():
    found = cut(drawn(FractionShape(VALUES, 40, GRID)), 0.6)
    assert (found.state, found.shape) == (AnnotationState.ABSENT, None)


def test_other_shapes_stay_as_they_are():
    given = drawn(MaskShape(VALUES > 3, GRID))
    assert cut(given, 0.1) is given
