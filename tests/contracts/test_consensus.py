"""What every consensus method promises, for each file in the folder."""

import numpy as np
import pytest

from isocenter.agreement.consensus import METHODS

NAMES = METHODS.names()
SHAPE = (3, 7, 9)


def masks(count: int, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.random(SHAPE) > 0.5 for _ in range(count)]


def test_the_folder_is_seen() -> None:
    assert {"intersection", "majority", "union"} <= set(NAMES)
    assert all(METHODS.summary(name) for name in NAMES)


@pytest.mark.parametrize("is_foreground", [False, True])
@pytest.mark.parametrize("name", NAMES)
class TestMethod:
    def test_unanimous_voxels_stay(self, name: str, is_foreground: bool) -> None:
        for count in (1, 2, 3, 4, 7):
            given = masks(count)
            fused = METHODS.get(name)(given, tie_is_foreground=is_foreground)
            assert fused[np.all(given, axis=0)].all()
            assert not fused[~np.any(given, axis=0)].any()

    def test_order_does_not_matter(self, name: str, is_foreground: bool) -> None:
        given = masks(5)
        expected = METHODS.get(name)(given, tie_is_foreground=is_foreground)
        for turn in range(1, 5):
            rolled = given[turn:] + given[:turn]
            assert np.array_equal(METHODS.get(name)(rolled, tie_is_foreground=is_foreground), expected)
        assert np.array_equal(METHODS.get(name)(given[::-1], tie_is_foreground=is_foreground), expected)

    def test_one_mask_comes_back_as_a_copy(self, name: str, is_foreground: bool) -> None:
        (given,) = masks(1)
        fused = METHODS.get(name)([given], tie_is_foreground=is_foreground)
        assert np.array_equal(fused, given)
        assert not np.shares_memory(fused, given)

    def test_masks_are_not_changed(self, name: str, is_foreground: bool) -> None:
        given = masks(4)
        before = [mask.tobytes() for mask in given]
        fused = METHODS.get(name)(given, tie_is_foreground=is_foreground)
        assert [mask.tobytes() for mask in given] == before
        assert fused.dtype == np.bool_
        assert fused.shape == SHAPE
        assert fused.flags.c_contiguous
        again = METHODS.get(name)(given, tie_is_foreground=is_foreground)
        assert again.tobytes() == fused.tobytes()


def test_a_majority_of_more_raters_than_a_byte_counts() -> None:
    marked, empty = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    fuse = METHODS.get("majority")
    assert fuse([marked] * 256 + [empty] * 255, tie_is_foreground=False).all()
    assert not fuse([marked] * 255 + [empty] * 256, tie_is_foreground=False).any()
