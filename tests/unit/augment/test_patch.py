import numpy as np
import pytest

from isocenter.augment.patch import array_axes


@pytest.mark.parametrize(
    ("columns", "axes"),
    [
        (np.eye(3), {"R": 2, "A": 1, "S": 0}),
        (np.diag([-0.7, -0.7, 5.0]), {"R": 2, "A": 1, "S": 0}),
        (np.array([[0, 0, 4.0], [0.7, 0, 0], [0, -0.7, 0]]), {"R": 0, "A": 2, "S": 1}),  # sagittal
        (np.array([[0.7, 0, 1.5], [0, 0.7, 0], [0, 0, 5.0]]), {"R": 2, "A": 1, "S": 0}),  # sheared
        (np.array([[0.71, -0.7, 0], [0.7, 0.71, 0], [0, 0, 1.0]]), {"R": 2, "A": 1, "S": 0}),
        (np.array([[0.7, -0.71, 0], [0.71, 0.7, 0], [0, 0, 1.0]]), {"R": 1, "A": 2, "S": 0}),
        (np.array([[0.6, -0.7, -0.374], [0.6, 0.71, -0.374], [0.53, 0, 0.85]]), {"R": 2, "A": 1, "S": 0}),
    ],
)
def test_the_array_axis_nearest_to_an_anatomical_one(columns, axes):
    affine = np.eye(4)
    affine[:3, :3] = columns
    assert array_axes(affine) == axes
