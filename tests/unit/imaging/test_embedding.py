"""A mask on a part of an image's grid."""

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.imaging.affine import canonical
from isocenter.imaging.embedding import embedding
from isocenter.imaging.shapes import MaskShape
from isocenter.model.grid import Grid

AFFINE = np.array([[-0.75, 0.1, 0, 10], [0.05, -0.5, 0, 20], [0, 0, 2.0, 3], [0, 0, 0, 1]])
GRID = Grid((5, 6, 8), AFFINE, "frame")


def part_of(start, size, grid=GRID):
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ np.array(start[::-1], float)
    return Grid(size, affine)


@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize(
    ("start", "size"),
    [((0, 0, 0), (5, 6, 8)), ((1, 2, 3), (2, 3, 4)), ((4, 5, 7), (1, 1, 1)), ((2, 0, 0), (1, 6, 8))],
)
def test_a_part_is_put_in_its_place(start, size, is_turned):
    part = np.random.default_rng(0).random(size) < 0.5
    whole = np.zeros(GRID.shape, bool)
    whole[tuple(slice(s, s + n) for s, n in zip(start, size, strict=True))] = part
    own = part_of(start, size)
    if is_turned:
        reorder = canonical(own)
        own, part = reorder.grid, reorder.apply(part)
    assert embedding(own, GRID).is_inside
    assert np.array_equal(MaskShape(part, own, is_part=True).mask(GRID), whole)


def test_what_is_not_marked_may_lie_outside_and_what_is_may_not():
    part = np.zeros((3, 4, 4), bool)
    part[1:, 1:, 1:] = True
    own = part_of((-1, -1, -1), (3, 4, 4))
    place = embedding(own, GRID)
    assert not place.is_inside
    assert place.apply(part)[:2, :3, :3].all()
    part[0, 2, 2] = True
    with pytest.raises(FormatError) as caught:
        place.apply(part)
    assert (caught.value.reason, caught.value.measured) == ("read/other-grid", "1 voxels")
    with pytest.raises(FormatError):
        embedding(part_of((40, 0, 0), (3, 4, 4)), GRID).apply(part)


def test_other_voxels_are_no_part():
    size = (2, 3, 4)
    assert embedding(part_of((0.5, 0, 0), size), GRID) is None
    assert embedding(part_of((0, 0, 0.06), size), GRID) is None
    assert embedding(part_of((0, 0, 0.04), size), GRID) is not None
    coarse = part_of((0, 0, 0), size)
    assert embedding(Grid(size, coarse.affine @ np.diag([1, 1, 2.0, 1])), GRID) is None
    assert embedding(Grid(size, coarse.affine, "another"), GRID) is None
    assert embedding(Grid(size, coarse.affine, "", is_oriented=False), GRID) is None
    assert embedding(Grid(size, np.zeros((4, 4))), GRID) is None


def test_only_formats_that_cut_their_masks_are_put_in_place():
    own = part_of((1, 1, 1), (2, 3, 4))
    with pytest.raises(FormatError) as caught:
        MaskShape(np.ones(own.shape, bool), own).mask(GRID)
    assert caught.value.reason == "read/other-grid"
