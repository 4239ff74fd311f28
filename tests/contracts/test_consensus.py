"""What every consensus method promises, for each file in the folder."""

import numpy as np
import pytest

from isocenter.agreement.ballot import Ballot, Fused
from isocenter.agreement.consensus import METHODS

NAMES = METHODS.names()
SHAPE = (3, 7, 9)


def masks(count: int, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.random(SHAPE) > 0.5 for _ in range(count)]


def fused(
    name: str, given: list[np.ndarray], names: list[int] | None = None, *, is_foreground: bool
) -> Fused:
    """What a method makes of masks; the first rater is the one whose vote counts where only one does."""
    votes = {f"rater-{n}": mask for n, mask in zip(names or range(len(given)), given, strict=True)}
    ballot = Ballot(masks=votes, tie_is_foreground=is_foreground, rater="rater-0")
    found = METHODS.get(name)(ballot)
    assert found is not None
    return found


def test_the_folder_is_seen() -> None:
    assert {"intersection", "majority", "single", "soft-mean", "staple", "union"} <= set(NAMES)
    assert all(METHODS.summary(name) for name in NAMES)


@pytest.mark.parametrize("is_foreground", [False, True])
@pytest.mark.parametrize("name", NAMES)
class TestMethod:
    def test_unanimous_voxels_stay(self, name: str, is_foreground: bool) -> None:
        for count in (1, 2, 3, 4, 7):
            given = masks(count)
            mask = fused(name, given, is_foreground=is_foreground).mask
            assert mask[np.all(given, axis=0)].all()
            assert not mask[~np.any(given, axis=0)].any()

    def test_order_does_not_matter(self, name: str, is_foreground: bool) -> None:
        given = masks(5)
        expected = fused(name, given, is_foreground=is_foreground).mask
        for turn in range(5):
            names = [(turn + n) % 5 for n in range(5)]
            for some in (names, names[::-1]):
                found = fused(name, [given[n] for n in some], some, is_foreground=is_foreground)
                assert np.array_equal(found.mask, expected)

    def test_one_mask_comes_back_as_a_copy(self, name: str, is_foreground: bool) -> None:
        (given,) = masks(1)
        found = fused(name, [given], is_foreground=is_foreground).mask
        assert np.array_equal(found, given)
        assert not np.shares_memory(found, given)

    def test_masks_are_not_changed(self, name: str, is_foreground: bool) -> None:
        given = masks(4)
        before = [mask.tobytes() for mask in given]
        found = fused(name, given, is_foreground=is_foreground)
        assert [mask.tobytes() for mask in given] == before
        assert found.mask.dtype == np.bool_
        assert found.mask.shape == SHAPE
        assert found.mask.flags.c_contiguous
        again = fused(name, given, is_foreground=is_foreground)
        assert again.mask.tobytes() == found.mask.tobytes()

    def test_shares_and_performances_lie_between_0_and_1(self, name: str, is_foreground: bool) -> None:
        found = fused(name, masks(3), is_foreground=is_foreground)
        if found.shares is not None:
            assert found.shares.dtype == np.float32
            assert found.shares.shape == SHAPE
            assert 0 <= found.shares.min() <= found.shares.max() <= 1
        for each in found.performances:
            assert 0 <= each.sensitivity <= 1
            assert 0 <= each.specificity <= 1


@pytest.mark.parametrize("name", ["majority", "soft-mean"])
def test_a_majority_of_more_raters_than_a_byte_counts(name: str) -> None:
    marked, empty = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    assert fused(name, [marked] * 256 + [empty] * 255, is_foreground=False).mask.all()
    assert not fused(name, [marked] * 255 + [empty] * 256, is_foreground=False).mask.any()
