"""Instances are conserved: numbered maps, boxes and counts against SciPy's labelling."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from isocenter.agreement.instances import fuse_instances
from isocenter.imaging.components import components_of
from isocenter.imaging.instances import boxes_of, instances_of, numbered, union_of

MASKS = arrays(bool, st.tuples(*[st.integers(1, 6)] * 3), elements=st.booleans())
CONNECTIVITIES = {6: 1, 18: 2, 26: 3}


@pytest.mark.parametrize("connectivity", CONNECTIVITIES)
@settings(max_examples=120, deadline=None)
@given(MASKS)
def test_the_pieces_are_those_of_scipy(connectivity, mask):
    structure = ndimage.generate_binary_structure(3, CONNECTIVITIES[connectivity])
    expected, count = ndimage.label(mask, structure=structure)
    found = instances_of(mask, connectivity)
    assert len(found) == count
    ours, hidden = numbered(found, mask.shape)
    assert hidden == ()
    np.testing.assert_array_equal(ours, expected)
    boxes = [(*(s.start for s in b), *(s.stop for s in b)) for b in ndimage.find_objects(expected)]
    assert boxes_of(components_of(mask, connectivity)).tolist() == [list(b) for b in boxes]
    assert [one.box for one in found] == boxes


@settings(max_examples=80, deadline=None)
@given(MASKS, st.sampled_from(["majority", "union", "intersection"]))
def test_raters_who_agree_conserve_every_lesion(mask, method):
    drawn = instances_of(mask)
    fused = fuse_instances({"a": drawn, "b": drawn, "c": drawn}, method=method)
    assert sorted(one.box for one in fused) == sorted(one.box for one in drawn)
    np.testing.assert_array_equal(union_of(fused, mask.shape), mask)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_the_order_of_raters_does_not_matter(data):
    shape = (3, 4, 5)
    masks = {r: data.draw(arrays(bool, shape, elements=st.booleans())) for r in "abc"}
    one = fuse_instances({r: instances_of(masks[r], 6) for r in "abc"})
    other = fuse_instances({r: instances_of(masks[r], 6) for r in "cab"})
    assert [o.box for o in one] == [o.box for o in other]
    np.testing.assert_array_equal(numbered(one, shape)[0], numbered(other, shape)[0])
