"""Windows as the standard writes them down, at their edges, by exact fractions; and HU through a store and a window."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import isocenter as iso
from isocenter.imaging.windows import WINDOWS, apply
from isocenter.model.task import Window
from tests.contracts.packed import build, make_case

ALL_INT16 = np.arange(-32768, 32768, dtype=np.int16)


def by_the_standard(x, window):
    """The pseudo-code of PS3.3 C.11.2.1.2.1 and C.11.2.1.3.2 for an output from 0 to 1."""
    c, w = Fraction(window.centre), Fraction(window.width)
    half = Fraction(1, 2)
    if window.function == "LINEAR":
        if x <= c - half - (w - 1) / 2:
            return 0
        return 1 if x > c - half + (w - 1) / 2 else (x - (c - half)) / (w - 1) + half
    if x <= c - w / 2:
        return 0
    return 1 if x > c + w / 2 else (x - c) / w + half


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT"])
@pytest.mark.parametrize(
    ("centre", "width"),
    [
        *((w.centre, w.width) for w in WINDOWS.values()),
        (100, 1),
        (100.5, 1),
        (100, 2),
        (0, 1.5),
        (2048, 4096),
        (-0.25, 7.75),
    ],
)
def test_every_value_near_the_edges_is_what_the_standard_says(function, centre, width):
    window = Window(name="w", centre=centre, width=width, function=function)
    edges = [int(centre - width / 2), int(centre), int(centre + width / 2)]
    values = np.array([e + n for e in edges for n in range(-3, 4)], np.int16)
    expected = np.array([np.float32(float(by_the_standard(int(x), window))) for x in values])
    assert np.abs(apply(values, window) - expected).max() <= 2**-24
    everywhere = apply(ALL_INT16, window)  # by the table
    assert np.array_equal(everywhere[values.astype(int) + 32768], apply(values, window))
    assert np.array_equal(everywhere, apply(ALL_INT16.astype(np.float32), window))
    assert (np.diff(everywhere) >= 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float64])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_type_of_the_values_makes_no_difference(dtype, function):
    window = Window(name="w", centre=40, width=80, function=function)
    values = np.tile(np.arange(0, 100), 1000)
    assert np.array_equal(apply(values.astype(dtype), window), apply(values.astype(np.float32), window))


def test_what_is_no_number_stays_none():
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        window = Window(name="w", centre=40, width=80, function=function)
        found = apply(np.array([np.nan, np.inf, -np.inf], np.float32), window)
        assert np.isnan(found[0])
        assert found[1:].tolist() == [1, 0]


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_hu_through_a_store_and_a_window_is_the_window_of_hu(tmp_path, name):
    case = replace(make_case(0), valid=None)
    store = build(tmp_path / "store", [case])
    sample = iso.dataset(store, "train", normalise=f"window:{name}", framework="numpy")[0]
    window = WINDOWS[name]
    expected = np.clip((case.image[0].astype(float) - window.centre) / window.width + 0.5, 0, 1)
    assert np.abs(np.asarray(sample["image"])[0] - expected).max() < 1e-6
