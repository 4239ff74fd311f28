import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from nibabel.orientations import aff2axcodes

from isocenter.model.grid import Grid


def test_spacing_is_in_the_order_of_the_array():
    grid = Grid((2, 3, 4), np.diag([1.0, 2.0, 3.0, 1.0]))
    assert grid.spacing_mm == (3.0, 2.0, 1.0)
    assert grid.corners_mm()[-1].tolist() == [3.0, 4.0, 3.0]


def test_a_sheared_stack_has_slices_nearer_than_its_axis_is_long():
    affine = np.eye(4)
    affine[:3, 2] = (3.0, 0.0, 4.0)
    grid = Grid((2, 2, 2), affine)
    assert (grid.spacing_mm[0], grid.slice_distance_mm) == (5.0, 4.0)


@given(st.permutations(range(3)), st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3))
def test_axis_codes_are_those_of_nibabel(order, signs):
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, order] * signs
    assert Grid((1, 1, 1), affine).axis_codes == "".join(aff2axcodes(affine))


@given(npst.arrays(np.float64, (5, 3), elements=st.floats(-100, 100)))
def test_there_and_back_again(points):
    affine = np.array([[0.5, 0.1, 0, 3], [0, 2, 0.3, -4], [0, 0, 1.5, 9], [0, 0, 0, 1]])
    grid = Grid((4, 4, 4), affine)
    assert grid.to_voxel(grid.to_world(points)) == pytest.approx(points, abs=1e-9)
