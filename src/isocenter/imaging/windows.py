"""Windows: named ranges of Hounsfield units, and the functions that turn values into grey."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError
from isocenter.model.task import Window

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")

# Each of these was compared with the article on 2026-11-23; where it gives a range, the middle is taken.
_RADIOPAEDIA = "Radiopaedia.org, Windowing (CT), rID 52108"

WINDOWS: dict[str, Window] = {
    window.name: window
    for window in (
        Window(name="abdomen", centre=50, width=400, source=f"{_RADIOPAEDIA} (abdomen, soft tissue)"),
        Window(name="bone", centre=400, width=1800, source=f"{_RADIOPAEDIA} (spine, bone)"),
        Window(name="brain", centre=40, width=80, source=_RADIOPAEDIA),
        Window(name="full", centre=1023.5, width=4095, source="12-bit CT range, -1024 to 3071 HU"),
        Window(name="liver", centre=30, width=150, source=_RADIOPAEDIA),
        Window(name="lung", centre=-600, width=1500, source=_RADIOPAEDIA),
        Window(name="mediastinum", centre=50, width=350, source=_RADIOPAEDIA),
        Window(
            name="soft-tissue",
            centre=40,
            width=400,
            source=f"{_RADIOPAEDIA} (head and neck, W 350-400, L 20-60; the wider)",
        ),
        Window(name="spine", centre=50, width=250, source=f"{_RADIOPAEDIA} (spine, soft tissue)"),
        Window(name="stroke", centre=40, width=40, source=f"{_RADIOPAEDIA} (the wider of two)"),
        Window(
            name="subdural",
            centre=75,
            width=215,
            source=f"{_RADIOPAEDIA} (middle of W 130-300, L 50-100)",
        ),
        Window(name="temporal-bone", centre=600, width=2800, source=_RADIOPAEDIA),
    )
}


def limits(window: Window) -> tuple[float, float]:
    """The values that become black and white (DICOM PS3.3 C.11.2.1.2.1, C.11.2.1.3.2).

    LINEAR takes half a value off both ends of its centre and one off its width, as it was made for
    integers; LINEAR_EXACT is centre -/+ half the width. SIGMOID reaches neither black nor white; its
    limits here are those of LINEAR_EXACT.

    Examples:
        >>> limits(WINDOWS["lung"])
        (-1350.0, 150.0)
        >>> limits(Window(name="lung", centre=-600, width=1500, function="LINEAR"))
        (-1350.0, 149.0)
    """
    _check(window)
    if window.function == "LINEAR":
        return (
            window.centre - 0.5 - (window.width - 1) / 2,
            window.centre - 0.5 + (window.width - 1) / 2,
        )
    return window.centre - window.width / 2, window.centre + window.width / 2


def apply(array: NDArray[Any], window: Window) -> NDArray[np.float32]:
    """Values of any shape as grey from 0 (black) to 1 (white), by the window's function."""
    _check(window)
    values = np.ascontiguousarray(array).reshape(-1)
    out = np.empty(values.shape, dtype=np.float32)
    bits = 8 * values.dtype.itemsize
    # the table is as exact as the function, and pays where it is shorter than the values
    if values.dtype.kind in "iu" and bits <= 16 and values.dtype.isnative and values.size >= 1 << bits:
        _look_up(values.view(f"u{values.dtype.itemsize}"), _table(window, values.dtype.char), out)
    else:
        _grey(values, *_numbers(window), out)
    return out.reshape(array.shape)


def voi_of(attributes: Mapping[str, str]) -> Window | None:
    """The window in which a radiograph was read, from the attributes of its case; None where it has none.

    `voi_centre` and `voi_width` are the first of those that the header offers, in the unit of the values as
    they are here: of an inverted image they are inverted as well (see `inverted`).
    """
    try:
        centre, width = float(attributes["voi_centre"]), float(attributes["voi_width"])
    except (KeyError, ValueError):
        return None
    function = attributes.get("voi_function") or "LINEAR"
    window = Window(name="voi", centre=centre, width=width, unit="stored", function=function, source="header")
    return window if is_possible(window) else None


def inverted(window: Window, total: float) -> Window:
    """The window that shows values x as `total` - x was shown before, black for white.

    A MONOCHROME1 image is shown white where its values are low. Once they are inverted, so must be its window,
    or it would no longer be what a person saw. LINEAR is centred on half a value below its centre
    (PS3.3 C.11.2.1.2.1), so that its mirror image is one value higher.

    Examples:
        >>> inverted(Window(name="voi", centre=1000, width=400, function="LINEAR"), 4095).centre
        3096
        >>> inverted(Window(name="voi", centre=1000, width=400, function="SIGMOID"), 4095).centre
        3095
    """
    return replace(window, centre=total - window.centre + (1 if window.function == "LINEAR" else 0))


def is_possible(window: Window) -> bool:
    """Whether there is such a function, and a window of it may be so wide (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    is_wide = window.width >= 1 if window.function == "LINEAR" else window.width > 0
    return window.function in FUNCTIONS and is_wide and math.isfinite(window.centre + window.width)


def _numbers(window: Window) -> tuple[bool, float, float]:
    """What the kernel needs: whether it is a sigmoid, and its centre and width or its limits."""
    if window.function == "SIGMOID":
        return True, float(window.centre), float(window.width)
    low, high = limits(window)
    return False, float(low), float(high)


@lru_cache(maxsize=64)
def _table(window: Window, kind: str) -> NDArray[np.float32]:
    """The grey of every value of an integer type of up to 16 bits, in the order of their bits."""
    bits = 8 * np.dtype(kind).itemsize
    values = np.arange(1 << bits, dtype=f"u{bits // 8}").view(kind)
    out = np.empty(values.shape, dtype=np.float32)
    _grey(values, *_numbers(window), out)
    out.flags.writeable = False
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _look_up(bits: Any, table: Any, out: Any) -> None:
    for n in range(bits.size):
        out[n] = table[bits[n]]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _grey(values: Any, is_sigmoid: Any, first: Any, second: Any, out: Any) -> None:
    """Grey of each value in float64, as the standard writes it, rounded once to float32."""
    for n in range(values.size):
        value = np.float64(values[n])
        if is_sigmoid:
            # exp(700) is near the end of float64; there the grey is 0 to 300 decimals
            exponent = min(-4.0 * (value - first) / second, 700.0)
            out[n] = value if np.isnan(value) else 1.0 / (1.0 + np.exp(exponent))
        elif value <= first:
            out[n] = 0.0
        elif value > second:
            out[n] = 1.0
        else:
            out[n] = (value - first) / (second - first)


def _check(window: Window) -> None:
    if window.function not in FUNCTIONS:
        raise ConfigError(f"function is one of {', '.join(FUNCTIONS)}, not {window.function!r}")
    if not is_possible(window):
        raise ConfigError(f"a {window.function} window cannot be {window.width} wide (PS3.3 C.11.2.1.2)")
