import numpy as np
import pytest

from isocenter.augment.patch import array_axis


@pytest.mark.parametrize(
    ("columns", "axes"),
    [
        (np.eye(3), {"R": 2, "A": 1, "S": 0}),
        (np.diag([-0.7, -0.7, 5.0]), {"R": 2, "A": 1, "S": 0}),
        (np.array([[0, 0, 4.0], [0.7, 0, 0], [0, -0.7, 0]]), {"R": 0, "A": 2, "S": 1}),  # sagittal
        (np.array([[0.7, 0, 1.5], [0, 0.7, 0], [0, 0, 5.0]]), {"R": 2, "A": 1, "S": 0}),  # sheared
    ],
)
def test_the_array_axis_nearest_to_an_anatomical_one(columns, axes):
    affine = np.eye(4)
    affine[:3, :3] = columns
    assert {axis: array_axis(affine, axis) for axis in "RAS"} == axes
