import numpy as np
import pytest

from isocenter.agreement.counts import count_labels, count_masks


@pytest.mark.parametrize("size", [0, 1, 7, 8, 15, 2040, 2041, 5003])
def test_masks_of_any_size(size: int) -> None:
    random = np.random.default_rng(size)
    a, b = random.random(size) < 0.5, random.random(size) < 0.8
    assert count_masks(a, b) == (a.sum(), b.sum(), (a & b).sum())


def test_bytes_do_not_overflow() -> None:
    a = np.ones(8 * 256 * 3 + 5, bool)
    assert count_masks(a, a) == (a.size, a.size, a.size)


def test_layers_of_an_array_that_do_not_begin_at_a_word() -> None:
    layers = np.random.default_rng(1).random((3, 5, 7, 3)) < 0.5
    expected = layers[1].sum(), layers[2].sum(), (layers[1] & layers[2]).sum()
    assert count_masks(layers[1], layers[2]) == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [0, 3, 8, 15, 4001])
def test_labels_in_runs_and_alone(size: int, dtype: type) -> None:
    random = np.random.default_rng(size)
    runs = np.repeat(random.integers(0, 5, size // 9 + 1), 9)[:size].astype(dtype)
    other = np.where(random.random(size) < 0.9, runs, random.integers(0, 6, size)).astype(dtype)
    found = count_labels(runs, other)
    expected = [
        [(runs == n).sum(), (other == n).sum(), ((runs == n) & (other == n)).sum()] for n in range(len(found))
    ]
    assert found.tolist() == expected
    assert len(found) == (int(max(runs.max(), other.max())) + 1 if size else 0)


def test_other_types_and_shapes_are_a_bug() -> None:
    with pytest.raises(ValueError, match="uint8 or uint16"):
        count_labels(np.zeros(3, np.int16), np.zeros(3, np.int16))
    with pytest.raises(ValueError, match="uint8 or uint16"):
        count_labels(np.zeros(3, np.uint8), np.zeros(3, np.uint16))
    with pytest.raises(ValueError, match="masks are"):
        count_masks(np.zeros(3, bool), np.zeros(4, bool))
