"""One odd slice must not move the others; what is regular is exact."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.stages.grouping import geometry_of, separate
from tests.unit.stages.rows import AXIAL, a_slice


@pytest.mark.parametrize("odd", [0, 4, 9])
def test_one_slice_off_the_line_moves_no_other(odd):
    rows = [a_slice(n) for n in range(10)]
    x, y, z = rows[odd].position_mm
    rows[odd] = replace(rows[odd], position_mm=(x + 3.0, y, z + 0.2))
    geometry = geometry_of(separate(rows)[0])
    for k, row in enumerate(rows):
        off = np.linalg.norm((geometry.affine @ (0, 0, k, 1))[:3] - row.position_mm)
        assert off == pytest.approx(np.hypot(3.0, 0.2) if k == odd else 0.0, abs=1e-9)
    assert geometry.residual_mm == pytest.approx(np.hypot(3.0, 0.2))
    assert geometry.shear_mm == pytest.approx(0.0, abs=1e-9)


def test_where_no_line_goes_through_most_slices_it_goes_through_the_ends():
    rows = [a_slice(n, position_mm=(10.0, 20.0, 2.5 * n + (3.0 if n > 4 else 0.0))) for n in range(10)]
    affine = geometry_of(separate(rows)[0]).affine
    assert (affine @ (0, 0, 9, 1))[2] == pytest.approx(25.5)


def test_a_slice_with_other_directions_is_told_by_how_far_they_differ():
    rows = [a_slice(n) for n in range(10)]
    tilted = tuple(v + (9e-4 if n == 2 else 0.0) for n, v in enumerate(AXIAL))
    rows[0] = replace(rows[0], orientation=tilted)
    [stack] = separate(rows)
    geometry = geometry_of(stack)
    assert geometry.orientation_residual == pytest.approx(9e-4)
    assert np.array_equal(geometry.affine, geometry_of([a_slice(n) for n in range(10)]).affine)
