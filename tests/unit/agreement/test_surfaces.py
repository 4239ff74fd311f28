import math

import numpy as np
import pytest
from scipy import ndimage

from isocenter.agreement.surface_areas import areas, lengths
from isocenter.agreement.surfaces import surface_distances


def cube(shape: tuple[int, int, int], *at: int, size: int = 3) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, a + size) for a in at)] = True
    return mask


def test_a_cube_moved_along_one_axis() -> None:
    a, b = cube((9, 9, 9), 2, 2, 2), cube((9, 9, 9), 4, 2, 2)
    found = surface_distances(a, b, (1.5, 1.0, 1.0))
    assert found.hausdorff_mm(1.0) == 3.0
    assert found.dice(3.0) == 1.0
    assert found.dice(0.0) == pytest.approx(
        1
        - sum(x[d > 0].sum() for d, x in zip(found.distances_mm, found.areas, strict=True))
        / (2 * found.areas[0].sum())
    )


def test_the_same_mask_is_0_mm_apart() -> None:
    a = cube((7, 7, 7), 0, 0, 0)
    found = surface_distances(a, a, (1.0, 1.0, 1.0))
    assert (found.hausdorff_mm(), found.dice(0.0)) == (0.0, 1.0)


def test_nothing_marked_has_no_distance() -> None:
    nothing, a = np.zeros((4, 5, 6), bool), cube((4, 5, 6), 0, 1, 1)
    both = surface_distances(nothing, nothing, (1.0, 1.0, 1.0))
    assert (both.hausdorff_mm(), both.dice(1.0)) == (None, None)
    for one, other in ((nothing, a), (a, nothing)):
        found = surface_distances(one, other, (1.0, 1.0, 1.0))
        assert (found.hausdorff_mm(), found.dice(1.0)) == (None, 0.0)


def test_a_slice_of_a_volume_is_no_plane() -> None:
    a, b = cube((5, 9, 9), 2, 2, 2, size=1), cube((5, 9, 9), 2, 2, 6, size=1)
    cut = surface_distances(a[2:3], b[2:3], (3.0, 1.0, 1.0), is_plane=False)
    whole = surface_distances(a, b, (3.0, 1.0, 1.0))
    assert np.array_equal(cut.areas[0], whole.areas[0])
    assert surface_distances(a[2:3], b[2:3], (3.0, 1.0, 1.0)).areas[0].sum() == pytest.approx(
        2 * math.sqrt(2)
    )


def test_other_shapes_are_a_bug() -> None:
    with pytest.raises(ValueError, match="masks are"):
        surface_distances(np.zeros((1, 2, 3), bool), np.zeros((1, 2, 4), bool), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("seed", range(12))
def test_distances_are_those_of_a_distance_transform(seed: int) -> None:
    random = np.random.default_rng(seed)
    spacing = tuple(random.uniform(0.3, 3, 3))
    a, b = (random.random((6, 9, 8)) < random.choice([0.02, 0.3, 0.8]) for _ in range(2))
    a[0, 0, 0] = b[5, 8, 7] = True
    found = surface_distances(a, b, spacing)
    borders = [_border(np.pad(mask, 1)) for mask in (a, b)]
    for n in range(2):
        far = ndimage.distance_transform_edt(~borders[1 - n], sampling=spacing)
        assert found.distances_mm[n] == pytest.approx(np.sort(far[borders[n]]), abs=1e-12)


def _border(mask: np.ndarray) -> np.ndarray:
    """Corners between eight voxels of which some, not all, are marked."""
    parts = [
        mask[k : len(mask) - 1 + k, j : mask.shape[1] - 1 + j, i : mask.shape[2] - 1 + i]
        for k in (0, 1)
        for j in (0, 1)
        for i in (0, 1)
    ]
    return np.any(parts, axis=0) & ~np.all(parts, axis=0)


def test_flat_surfaces_have_the_area_of_faces() -> None:
    table = areas((2.0, 3.0, 5.0))
    assert table[0b00001111] == 15.0
    assert table[0b00110011] == 10.0
    assert table[0b01010101] == 6.0
    assert table[0] == table[255] == 0.0
    assert np.array_equal(table, table[::-1])


def test_area_does_not_depend_on_the_name_of_an_axis() -> None:
    one, other = areas((2.0, 3.0, 5.0)), areas((5.0, 2.0, 3.0))
    corners = [(n >> 2 & 1, n >> 1 & 1, n & 1) for n in range(8)]
    for code in range(256):
        turned = sum(1 << corners.index((i, k, j)) for n, (k, j, i) in enumerate(corners) if code >> n & 1)
        assert other[turned] == pytest.approx(one[code], rel=1e-14)


def test_an_octahedron_has_its_area() -> None:
    voxel = np.zeros((3, 3, 3), bool)
    voxel[1, 1, 1] = True
    found = surface_distances(voxel, voxel, (1.0, 1.0, 1.0))
    assert found.areas[0].sum() == pytest.approx(math.sqrt(3), rel=1e-14)


def test_lengths_of_outlines() -> None:
    table = lengths((3.0, 4.0))
    assert table[0b0011] == 4.0
    assert table[0b0101] == 3.0
    assert table[0b0001] == 2.5
    assert table[0b1001] == 5.0
    assert table[0] == table[15] == 0.0
