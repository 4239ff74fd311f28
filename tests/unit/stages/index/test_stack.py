from dataclasses import replace

import numpy as np
import pytest

from tests.unit.stages.grouping import geometry_of, separate
from tests.unit.stages.rows import a_slice


def test_a_single_slice_is_as_deep_as_its_header_says():
    affine = geometry_of([a_slice(slice_thickness_mm=4.0)]).affine
    assert np.linalg.norm(affine[:3, 2]) == pytest.approx(4.0)


@pytest.mark.parametrize("thickness", [None, 0.0, -2.0])
def test_a_single_slice_without_a_depth_is_one_millimetre_deep(thickness):
    affine = geometry_of([a_slice(slice_thickness_mm=thickness)]).affine
    assert np.linalg.norm(affine[:3, 2]) == pytest.approx(1.0)
    assert np.linalg.det(affine[:3, :3]) > 0


@pytest.mark.parametrize(
    "gap",
    [{"position_mm": ()}, {"orientation": ()}, {"pixel_spacing_mm": ()}, {"pixel_spacing_mm": (0.0, 1.0)}],
)
def test_without_geometry_there_is_no_affine_and_no_guess(gap):
    [stack] = separate([a_slice(n, **gap) for n in range(3)])
    assert geometry_of(stack).affine is None


def test_one_slice_without_a_place_leaves_the_whole_stack_without():
    [stack] = separate([a_slice(0), a_slice(1, position_mm=()), a_slice(2)])
    assert geometry_of(stack).affine is None


def test_a_radiograph_is_an_image_of_its_own_with_voxel_sizes_only():
    views = [a_slice(n, modality="DX", position_mm=(), orientation=()) for n in range(2)]
    stacks = separate(views)
    assert [len(s) for s in stacks] == [1, 1]
    assert np.array_equal(geometry_of(stacks[0]).affine, np.diag([0.8, 0.7, 1.0, 1.0]))
    bare = replace(views[0], pixel_spacing_mm=(0.0, 0.0))
    assert np.array_equal(geometry_of([bare]).affine, np.eye(4))


def test_directions_that_differ_by_rounding_are_one_stack():
    tilted = tuple(np.array(a_slice().orientation) + 1e-5)
    assert len(separate([a_slice(0), a_slice(1, orientation=tilted), a_slice(2)])) == 1


def test_thousands_of_directions_are_told_apart_in_moderate_work():
    """A radial localizer in the extreme; a loop over all pairs of rows in Python would take minutes."""
    angles = np.linspace(0, 3, 3000)
    rows = [
        a_slice(n, orientation=(float(np.cos(a)), float(np.sin(a)), 0, 0, 0, -1.0))
        for n, a in enumerate(angles)
    ]
    assert 1000 < len(separate(rows)) <= 3000
