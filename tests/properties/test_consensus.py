"""Nothing about a consensus depends on the order in which raters or labels are given."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from isocenter.agreement.consensus import METHODS, fuse
from isocenter.agreement.metrics import dice
from isocenter.model.grid import Grid

SHAPE = (2, 3, 4)
GRID = Grid(SHAPE, np.eye(4))
masks = arrays.arrays(np.bool_, SHAPE)
by_rater = st.dictionaries(st.sampled_from("abcdef"), st.none() | masks, max_size=6)
by_label = st.dictionaries(st.sampled_from(["liver", "lesion", "lung"]), by_rater, max_size=3)


@settings(deadline=None)
@given(
    by_label, st.sampled_from(METHODS.names()), st.sampled_from(["background", "foreground"]), st.randoms()
)
def test_order_never_matters(given_masks, method: str, tie: str, random) -> None:
    first = fuse(given_masks, grid=GRID, method=method, tie=tie)
    labels = list(given_masks.items())
    random.shuffle(labels)
    shuffled = {}
    for label, raters in labels:
        pairs = list(raters.items())
        random.shuffle(pairs)
        shuffled[label] = dict(pairs)
    second = fuse(shuffled, grid=GRID, method=method, tie=tie)
    assert list(first.masks) == list(second.masks)
    assert all(np.array_equal(first.masks[label], second.masks[label]) for label in first.masks)
    assert first.agreements == second.agreements


@settings(deadline=None)
@given(st.lists(masks, min_size=1, max_size=7))
def test_methods_are_nested(given_masks) -> None:
    def of(method: str, tie: str = "background") -> np.ndarray:
        raters = {str(n): mask for n, mask in enumerate(given_masks)}
        return fuse({"l": raters}, grid=GRID, method=method, tie=tie).masks["l"]

    chain = [of("intersection"), of("majority"), of("majority", "foreground"), of("union")]
    for inner, outer in itertools.pairwise(chain):
        assert (~inner | outer).all()
    if len(given_masks) % 2:
        assert np.array_equal(of("majority"), of("majority", "foreground"))


@given(masks, masks)
def test_dice_is_symmetric_and_bounded(a, b) -> None:
    assert dice(a, b) == dice(b, a)
    assert (dice(a, b) is None) == (not a.any() and not b.any())
    assert 0 <= (dice(a, b) or 0) <= 1
    assert dice(a, a) in (None, 1.0)
