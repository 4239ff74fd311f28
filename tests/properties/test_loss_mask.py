"""An unannotated structure never counts as background: compared with every way the case may really be."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from isocenter.loading.aims import Aims
from isocenter.loading.reading import Box
from isocenter.loading.selection import EVERYWHERE, IN_PART, NOWHERE

SHAPE = (2, 3, 4)


def possible_values(present, known, values):
    """Every value that a voxel may really have: what is not known of a label may be or not be there."""
    ways = [
        (is_there,) if is_known else (True, False) for is_there, is_known in zip(present, known, strict=True)
    ]
    return {
        max((v for v, is_there in zip(values, way, strict=True) if is_there), default=0)
        for way in itertools.product(*ways)
    }


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_voxel_counts_only_if_all_that_may_be_there_is_what_is_written(data):
    count = data.draw(st.integers(1, 3))
    values = sorted(data.draw(st.sets(st.integers(1, 9), min_size=count, max_size=count)))
    extents = np.array(
        data.draw(st.lists(st.sampled_from([NOWHERE, IN_PART, EVERYWHERE]), min_size=count, max_size=count))
    )
    truths = st.booleans()
    marked = [data.draw(arrays(bool, SHAPE, elements=truths)) for _ in values]
    partly = [data.draw(arrays(bool, SHAPE, elements=truths)) for _ in values]
    known = [
        np.full(SHAPE, e == EVERYWHERE) | (part & (e == IN_PART))
        for e, part in zip(extents, partly, strict=True)
    ]
    # nothing is marked where nobody looked, as the build leaves it
    marked = [m & k for m, k in zip(marked, known, strict=True)]
    mask = np.zeros(SHAPE, np.uint8)
    for value, m in zip(values, marked, strict=True):
        mask[m] = value
    names = {f"label-{n}": v for n, v in enumerate(values)}
    numbered = {"known": {n: n for n in names}, "share": {}}
    aims = Aims(
        dict(zip(names, known, strict=True)), numbered, names, Box(start=(0, 0, 0), size=SHAPE), SHAPE
    )
    by_label = aims.known(extents, mask, is_by_label=True)
    found = aims.known(extents, mask, is_by_label=False)
    found = np.ones(SHAPE, bool) if found is None else found
    for voxel in np.ndindex(SHAPE):
        present, seen = [m[voxel] for m in marked], [k[voxel] for k in known]
        may_be = possible_values(present, seen, values)
        assert found[voxel] == (may_be == {int(mask[voxel])})
        assert [bool(p) for p in by_label[(slice(None), *voxel)]] == [bool(k) for k in seen]
