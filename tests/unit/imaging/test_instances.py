import numpy as np
import pytest

from isocenter.imaging.components import components_of
from isocenter.imaging.instances import as_one, boxes_of, instances_of, numbered, union_of

SHAPE = (5, 6, 7)


def mask(*voxels):
    out = np.zeros(SHAPE, bool)
    for voxel in voxels:
        out[voxel] = True
    return out


@pytest.mark.parametrize(("connectivity", "count"), [(6, 3), (18, 2), (26, 1)])
def test_a_face_an_edge_and_a_corner(connectivity, count):
    edge = mask((1, 1, 1), (1, 2, 2), (2, 3, 3))  # the second shares an edge, the third a corner
    assert len(instances_of(edge, connectivity)) == count


@pytest.mark.parametrize("other", [(1, 1, 2), (1, 2, 1), (2, 1, 1)])
@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_neighbours_at_a_face_are_always_one(other, connectivity):
    assert len(instances_of(mask((1, 1, 1), other), connectivity)) == 1


@pytest.mark.parametrize("other", [(2, 2, 1), (2, 1, 2), (1, 2, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
def test_neighbours_at_an_edge(other):
    assert [len(instances_of(mask((1, 1, 1), other), c)) for c in (6, 18, 26)] == [2, 1, 1]


def test_other_connectivities_are_refused():
    with pytest.raises(ValueError, match="6, 18, 26"):
        components_of(mask((0, 0, 0)), 8)


def test_each_instance_is_within_its_box():
    first, second = instances_of(mask((0, 0, 0), (0, 0, 1), (3, 4, 5), (4, 5, 6)))
    assert (first.start, first.mask.shape, first.voxels) == ((0, 0, 0), (1, 1, 2), 2)
    assert second.box == (3, 4, 5, 5, 6, 7)
    assert second.mask.sum() == second.voxels == 2
    np.testing.assert_array_equal(
        boxes_of(components_of(union_of([first, second], SHAPE))), [first.box, second.box]
    )


def test_all_that_is_marked_as_one():
    both = mask((1, 1, 1), (3, 4, 5))
    one = as_one(both)
    assert one.start == (1, 1, 1)
    assert one.voxels == 2
    np.testing.assert_array_equal(union_of([one], SHAPE), both)
    assert as_one(both[1:, 1:, 1:], at=(1, 1, 1)).start == (1, 1, 1)
    assert as_one(mask()) is None


def test_numbers_and_what_is_hidden():
    small, large = as_one(mask((1, 1, 1))), as_one(mask((1, 1, 1), (1, 1, 2)))
    found, hidden = numbered([small, large], SHAPE)
    assert found.dtype == np.uint16
    assert found[1, 1].tolist() == [0, 2, 2, 0, 0, 0, 0]
    assert hidden == (1,)
    assert numbered([large, small], SHAPE)[1] == ()


def test_more_instances_than_16_bits_hold():
    one = as_one(mask((1, 1, 1)))
    assert numbered([one] * 65_536, SHAPE)[0].dtype == np.uint32
