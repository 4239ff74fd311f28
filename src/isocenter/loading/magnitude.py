"""Magnitude: where no signal lies on the scale that a network sees, so that noise of MR can be what it is there."""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.imaging import windows
from isocenter.loading.normalise import CaseScale, Scaling
from isocenter.loading.voi import voi_window
from isocenter.model.task import Window

MAGNITUDES = frozenset({"MR"})
"""Modalities of which images are magnitudes: the length of a complex signal."""


def no_signal(
    scalings: Sequence[Scaling], scales: Sequence[CaseScale], modalities: Sequence[str]
) -> tuple[float | None, ...]:
    """Of each channel of a sample, the value that a stored 0 has, not cut off; None where it is no magnitude.

    Args:
        scalings: How the channels are made.
        scales: What the case keeps of each.
        modalities: Of the stored channels.
    """
    return tuple(
        _zero(scaling, scale) if modalities[scaling.channel] in MAGNITUDES else None
        for scaling, scale in zip(scalings, scales, strict=True)
    )


def _zero(scaling: Scaling, scale: CaseScale) -> float | None:
    window = scaling.window
    if window is None and scaling.kind in {"percentile", "voi"}:
        if not scale.marks:
            return None
        window = voi_window(scale.marks) if scaling.kind == "voi" else _between(*scale.marks)
    if window is not None:
        if window.function == "SIGMOID":
            return None
        low, high = windows.limits(window)
        return -low / (high - low)
    if scaling.kind == "cohort" and scaling.fitted is not None:
        return -scaling.fitted.mean / scaling.fitted.std
    return scaling.value(0.0, scale)


def _between(low: float, high: float) -> Window:
    return Window(name="percentile", centre=(low + high) / 2, width=max(high - low, 1e-30), unit="")
