import math

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from isocenter.base.errors import ConfigError
from isocenter.imaging.foreground import Foreground, foreground_of, found, known, otsu
from isocenter.imaging.histogram import NOTHING
from isocenter.imaging.statistics import measure


def two_tissues(dtype) -> np.ndarray:
    random = np.random.default_rng(5)
    values = np.concatenate([random.normal(40, 12, 6000), random.normal(300, 60, 2500)])
    return np.clip(values, 0, None).astype(dtype)


def test_otsu_is_that_of_another_library():
    array = two_tissues(np.uint16)
    assert otsu(measure(array, foreground="all").inside) == threshold_otsu(array)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_otsu_has_the_largest_variance_between_two_parts(dtype):
    array = two_tissues(dtype)
    whole = measure(array, foreground="all").inside
    exact = np.floor(array / whole.step) * whole.step + (0 if whole.is_exact else whole.step / 2)

    def between(threshold: float) -> float:
        low, high = exact[exact <= threshold], exact[exact > threshold]
        return len(low) * len(high) * (low.mean() - high.mean()) ** 2

    best = max(between(v) for v in np.unique(exact)[:-1])
    assert between(otsu(whole)) == pytest.approx(best, rel=1e-9)


def test_otsu_of_one_value_leaves_nothing_above():
    for dtype in (np.uint16, np.float32):
        assert measure(np.full(8, 7, dtype), foreground="otsu").facts == {"count": 0.0}


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_each_foreground_is_its_name(dtype):
    array = np.array([-1000, -3, 0, 0, 0, 2, 10, 900, 1000], dtype)
    expected = {
        "all": array,
        "nonzero": array[array != 0],
        "hu>-500": array[array > -500],
        "suv>0": array[array > 0],
        "mean": array[array > array.astype(float).mean()],
        "otsu": array[array >= 900],
    }
    for name, values in expected.items():
        got = measure(array, foreground=name)
        assert got.facts["count"] == values.size, name
        assert got.facts["mean"] == pytest.approx(values.astype(float).mean()), name
        assert got.inside.total + got.outside.total == array.size, name
        assert got.foreground.name == name


def test_a_foreground_that_is_nowhere_has_no_threshold():
    assert found("mean", NOTHING) == Foreground(name="mean")
    assert math.isinf(found("otsu", NOTHING).threshold)
    assert found("nonzero", NOTHING).is_nonzero


def test_by_unit_unless_another_is_asked_for():
    assert [foreground_of(u) for u in ("HU", "SUVlbm", "Bq/ml", "stored")] == [
        "hu>-500",
        "suv>0",
        "mean",
        "mean",
    ]
    assert foreground_of("HU", "nonzero") == "nonzero"


@pytest.mark.parametrize("name", ["body", "hu>", "hu>nan", "auto", ""])
def test_an_unknown_one_is_a_wrong_question(name):
    with pytest.raises(ConfigError, match="foreground is one of"):
        known(name)
