import numpy as np
import pytest

from isocenter.base.errors import ConfigError
from isocenter.imaging.foreground import foreground_of
from isocenter.imaging.histogram import merge
from isocenter.imaging.statistics import PERCENTILES, describe, histogram, measure

SHAPE = (5, 17, 19)


def expected_of(values: np.ndarray) -> dict[str, float]:
    exact = values.astype(np.float64)
    facts = {
        "count": float(exact.size),
        "mean": exact.mean(),
        "std": exact.std(),
        "min": exact.min(),
        "max": exact.max(),
    }
    return facts | {name: float(np.percentile(exact, p)) for name, p in PERCENTILES.items()}


def some(dtype: str) -> np.ndarray:
    random = np.random.default_rng(3)
    if dtype.startswith("float"):
        return random.normal(5, 40, SHAPE).astype(dtype)
    info = np.iinfo(dtype)
    return random.integers(max(info.min, -3000), min(info.max, 3000), SHAPE).astype(dtype)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("with_valid", [False, True])
@pytest.mark.parametrize("foreground", [None, "mean", -2.0])
def test_all_numbers_equal_numpy(dtype: str, with_valid: bool, foreground: float | str | None) -> None:
    array = some(dtype)
    valid = np.random.default_rng(4).random(SHAPE) > 0.3 if with_valid else None
    before = array.copy()
    found = describe(array, valid=valid, foreground=foreground)
    values = array if valid is None else array[valid]
    if foreground is not None:
        values = values[values > (values.astype(float).mean() if foreground == "mean" else foreground)]
    assert list(found) == list(expected_of(values))
    assert found == pytest.approx(expected_of(values), rel=1e-12, abs=1e-12)
    assert np.array_equal(array, before)


def test_extreme_integers_are_exact() -> None:
    array = np.array([-32768, -32768, 32767], dtype=np.int16)
    assert describe(array)["mean"] == -32769 / 3
    assert describe(array)["min"] == -32768
    assert describe(array)["max"] == 32767


def test_a_large_offset_costs_no_precision() -> None:
    array = (np.arange(40_000) % 2 + 1e6).astype(np.float32)
    assert describe(array)["std"] == 0.5


def test_what_is_no_number_is_left_out() -> None:
    array = np.array([np.nan, 1, np.inf, 3, -np.inf], dtype=np.float32)
    assert describe(array)["count"] == 2
    assert describe(array)["mean"] == 2


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_nothing_left_is_a_count_of_0(dtype: type) -> None:
    array = np.zeros((2, 2, 2), dtype=dtype)
    assert describe(array, valid=np.zeros(array.shape, dtype=bool)) == {"count": 0}
    assert describe(array, foreground=0.0) == {"count": 0}
    assert describe(array, foreground="mean") == {"count": 0}


def test_foreground_by_unit() -> None:
    assert foreground_of("HU") == "hu>-500"
    assert foreground_of("SUVbw") == "suv>0"
    assert foreground_of("stored") == foreground_of("arbitrary") == "mean"


def test_an_unknown_foreground_is_a_wrong_question() -> None:
    with pytest.raises(ConfigError):
        describe(np.zeros((1, 1, 1), np.int16), foreground="body")


def test_a_valid_mask_of_another_shape_is_a_bug() -> None:
    with pytest.raises(ValueError, match="valid"):
        describe(np.zeros((1, 1, 2), np.int16), valid=np.ones((1, 1, 1), bool))


def test_histogram_lists_what_occurs() -> None:
    array = np.array([[[3, -5, 3]]], dtype=np.int16)
    levels, counts = histogram(array)
    assert levels.tolist() == [-5, 3]
    assert counts.tolist() == [1, 2]
    assert histogram(array, valid=array > 0)[0].tolist() == [3]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_foreground_and_the_rest_are_counted_apart_to_the_voxel(dtype: str) -> None:
    """The threshold lies within a bin of the floats: each side of it has its own values."""
    array = some(dtype)
    got = measure(array, foreground="mean")
    assert got.inside.total == got.facts["count"] == (array > array.astype(float).mean()).sum()
    assert (
        merge([got.inside, got.outside]).counts.tolist()
        == measure(array, foreground="all").inside.counts.tolist()
    )


def test_percentiles_of_floats_are_exact_where_all_lie_in_one_bin() -> None:
    """One outlier makes the bins so wide that all other values share one."""
    array = np.append(np.random.default_rng(8).random(5000), 1e6).astype(np.float32)
    assert measure(array, foreground="all").inside.step > 400
    assert describe(array) == pytest.approx(expected_of(array), rel=1e-12)
