"""Foreground: which voxels of an image count, by a threshold that has a name and comes from its histogram."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from isocenter.base.errors import ConfigError
from isocenter.imaging.histogram import Histogram

WAYS = ("auto", "mean", "otsu", "nonzero", "all")
"""What may be asked for; `auto` is the rule of the unit."""

# HU: -500 is halfway between air (-1000) and water (0), where a blurred skin surface lies; it leaves out the air of
# lung and bowel as well. SUV: voxels outside the reconstructed field hold 0. All else (MR, radiographs) has no
# absolute scale: the mean of all voxels, as z-scores of MR are commonly taken (background of MR is noise, not 0).
_BY_UNIT = {"HU": "hu>-500", "SUV": "suv>0"}
_ELSE = "mean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreground:
    """A named foreground as it is in one image: what is above the threshold, or anything but 0.

    "all" has a threshold of minus infinity, "nonzero" none.
    """

    name: str
    threshold: float = -math.inf
    is_nonzero: bool = False


def foreground_of(unit: str, way: str = "auto") -> str:
    """Name of the foreground of an image in a unit.

    >>> foreground_of("HU"), foreground_of("SUVbw"), foreground_of("stored"), foreground_of("HU", "otsu")
    ('hu>-500', 'suv>0', 'mean', 'otsu')
    """
    if way != "auto":
        return way
    return _BY_UNIT.get("SUV" if unit.startswith("SUV") else unit, _ELSE)


def known(name: str) -> str:
    """The name itself, if it is that of a foreground: "mean", "otsu", "nonzero", "all" or "...>number".

    Raises:
        ConfigError: it is not.
    """
    if name in WAYS[1:] or (">" in name and _is_number(name.partition(">")[2])):
        return name
    raise ConfigError(f"foreground is one of {', '.join(WAYS[1:])}, or >number, not {name!r}")


def found(name: str, histogram: Histogram, mean: float | None = None) -> Foreground:
    """A named foreground as it is in an image, by the histogram of all its voxels.

    Args:
        name: "mean", "otsu", "nonzero", "all", or a fixed threshold such as "hu>-500".
        histogram: All valid voxels.
        mean: Their mean, where it is known better than the histogram knows it.
    """
    known(name)
    if name in {"all", "nonzero"}:
        return Foreground(name=name, is_nonzero=name == "nonzero")
    if not histogram.counts.size:
        return Foreground(name=name)
    if name == "mean":
        return Foreground(name=name, threshold=histogram.moments()[1] if mean is None else mean)
    if name == "otsu":
        return Foreground(name=name, threshold=otsu(histogram))
    return Foreground(name=name, threshold=float(name.partition(">")[2]))


def otsu(histogram: Histogram) -> float:
    """The threshold that parts a histogram best in two: foreground is what is above it (Otsu 1979).

    It is the one of the largest variance between the two parts, the lowest of several. Of whole numbers it is one
    that occurs; of bins it is just below the lower edge of one, so that no bin is parted. Of one single value
    nothing is above.
    """
    seen = np.flatnonzero(histogram.counts)
    counts, values = histogram.counts[seen].astype(np.float64), histogram.values[seen]
    if len(seen) < 2:
        return float(values[0]) + histogram.step
    centred = values - values[0]
    below, total = np.cumsum(counts)[:-1], counts.sum()
    moment = np.cumsum(counts * centred)
    gap = moment[:-1] / below - (moment[-1] - moment[:-1]) / (total - below)
    at = int(np.argmax(below * (total - below) * gap * gap))
    if histogram.is_exact:
        return float(values[at])
    edge = math.ldexp(histogram.first + int(seen[at]) + 1, histogram.exponent)
    return math.nextafter(edge, -math.inf)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
