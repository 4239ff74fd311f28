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


@pytest.mark.parametrize("tilt", [0.0, 0.4])
def test_the_way_beside_the_line_is_told_apart_from_uneven_gaps(tilt):
    """Slices at uneven places on one line lie beside it by nothing, however it is tilted."""
    places = (0.0, 4.0, 8.0, 15.0, 22.0, 23.1, 27.1, 31.1, 35.1)
    rows = [a_slice(n, position_mm=(10.0, 20.0 + tilt * z, z)) for n, z in enumerate(places)]
    geometry = geometry_of(separate(rows)[0])
    assert geometry.residual_mm > 1
    assert geometry.lateral_residual_mm == pytest.approx(0.0, abs=1e-9)
    x, y, z = rows[3].position_mm
    rows[3] = replace(rows[3], position_mm=(x + 1.2, y - 0.5, z))
    assert geometry_of(separate(rows)[0]).lateral_residual_mm == pytest.approx(1.3)


def test_an_odd_slice_lies_beside_the_line_of_the_others_as_far_as_it_was_moved():
    rows = [a_slice(n) for n in range(10)]
    rows[9] = replace(rows[9], position_mm=(14.0, 23.0, 22.6))
    geometry = geometry_of(separate(rows)[0])
    assert geometry.lateral_residual_mm == pytest.approx(5.0)
    assert geometry.residual_mm == pytest.approx(np.hypot(5.0, 0.1))
