"""Windows: named ranges of Hounsfield units, and the functions that turn values into grey."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError
from isocenter.model.task import Window

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")

# Values are turned in float64 a cache-sized block at a time, so that no float64 copy of a volume arises.
_BLOCK = 1 << 15

_RADIOPAEDIA = "Radiopaedia.org, Windowing (CT), rID 52108"

WINDOWS: dict[str, Window] = {
    window.name: window
    for window in (
        Window(name="abdomen", centre=50, width=400, source=_RADIOPAEDIA),
        Window(name="bone", centre=400, width=1800, source=_RADIOPAEDIA),
        Window(name="brain", centre=40, width=80, source=_RADIOPAEDIA),
        Window(name="full", centre=1023.5, width=4095, source="12-bit CT range, -1024 to 3071 HU"),
        Window(name="liver", centre=30, width=150, source=_RADIOPAEDIA),
        Window(name="lung", centre=-600, width=1500, source=_RADIOPAEDIA),
        Window(name="mediastinum", centre=50, width=350, source=_RADIOPAEDIA),
        Window(name="soft-tissue", centre=40, width=400, source=f"{_RADIOPAEDIA} (W 350-400, L 20-60)"),
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
    for start in range(0, values.size, _BLOCK):
        block = values[start : start + _BLOCK].astype(np.float64)
        out[start : start + _BLOCK] = _grey(block, window)
    return out.reshape(array.shape)


def _grey(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    if window.function == "SIGMOID":
        # exp(700) is near the end of float64; there the grey is 0 to 300 decimals.
        exponent = np.minimum(-4.0 * (values - window.centre) / window.width, 700.0)
        return np.asarray(1.0 / (1.0 + np.exp(exponent)))
    low, high = limits(window)
    if low == high:  # LINEAR of width 1 is a threshold
        return (values > high).astype(np.float64)
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def _check(window: Window) -> None:
    if window.function not in FUNCTIONS:
        raise ConfigError(f"function is one of {', '.join(FUNCTIONS)}, not {window.function!r}")
    if not (window.width >= 1 if window.function == "LINEAR" else window.width > 0):
        raise ConfigError(f"a {window.function} window cannot be {window.width} wide (PS3.3 C.11.2.1.2)")
