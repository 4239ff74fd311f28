"""Normalisation: how stored values become what a network sees, one rule per channel.

* A window gives one channel in [0, 1]: its own limits become 0 and 1, what lies outside is cut off.
* CT without a window is shown through the window of the store's whole HU range (-1024 to 3071 where the
  store is not clipped), so that every case is scaled alike and HU stay comparable.
* All else (MR, PET, radiographs) has no common scale: (value - mean) / standard deviation, both of the
  case's foreground, as the store keeps them.
* "percentile" gives [0, 1] as well: percentile 0.5 and 99.5 of the case's foreground become 0 and 1, or others that
  are named.
* "nyul" brings the case's landmarks to where those of the training cases lie on average, on a scale of 0 to 100.
* "cohort" cuts off at percentile 0.5 and 99.5 of all training cases together, then takes away their mean and divides
  by their standard deviation.
* "voi" shows every radiograph in the window of its own header, in [0, 1], as it was read (PS3.3 C.11.2).
* "none" gives the stored values as float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean
from isocenter.imaging import landmarks, windows
from isocenter.loading.voi import voi_window
from isocenter.model.normalisation import FITTED, Normalisation
from isocenter.model.task import Window
from isocenter.stores.fitted import FittedChannel
from isocenter.stores.manifest import Manifest

_WHOLE_HU_RANGE = (-1024, 3071)
# A share of the range between percentiles; bins of a histogram that are wider say too little of them.
MOST_ERROR = 0.1
# Kinds that give values from 0 to 1.
_UNIT_RANGE = {"window", "percentile", "voi"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScale:
    """What a case keeps of one channel: mean and standard deviation, the width from percentile 0.5 to 99.5, and marks.

    Marks are the percentiles that its `Scaling` asks for; none where the case lacks the channel.
    """

    mean: float = 0.0
    std: float = 1.0
    width: float = 6.0
    marks: tuple[float, ...] = ()

    @classmethod
    def of(cls, statistics: Mapping[str, float | None]) -> CaseScale | None:
        """The scale in a channel's statistics; None where nothing was foreground."""
        mean, std = statistics.get("mean"), statistics.get("std")
        if mean is None or not std:
            return None if mean is None else cls(mean=mean)
        low, high = statistics.get("p0.5"), statistics.get("p99.5")
        return cls(mean=mean, std=std, width=6.0 * std if low is None or high is None else high - low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How one channel of a sample is made.

    Args:
        name: Its name: that of the stored channel, with the window where there is one: "ct:lung".
        channel: Position among the channels that were asked for.
        kind: "window", "zscore", "percentile", "nyul", "cohort", "voi" or "none".
        window: The window.
        percents: Percentiles of a case's foreground that it needs as marks.
        fitted: What was fitted over the training cases.
    """

    name: str
    channel: int
    kind: str
    window: Window | None = None
    percents: tuple[float, ...] = ()
    fitted: FittedChannel | None = None

    def apply(self, array: NDArray[Any], scale: CaseScale) -> NDArray[np.float32]:
        """Values of a channel as the network sees them; all 0 of one that needs marks and has none."""
        if self.window is not None:
            return windows.apply(array, self.window)
        if (self.percents or self.kind == "voi") and not scale.marks:
            return np.zeros(array.shape, np.float32)
        if self.kind == "percentile":
            return windows.apply(array, _between(*scale.marks))
        if self.kind == "voi":
            return windows.apply(array, voi_window(scale.marks))
        if self.kind == "nyul" and self.fitted is not None:
            return landmarks.to_scale(array, scale.marks, self.fitted.standard)
        out = array.astype(np.float32)
        if self.kind == "cohort" and self.fitted is not None:
            fitted = self.fitted
            _line(out.reshape(-1), *_float32(fitted.low, fitted.high, fitted.mean, 1 / fitted.std))
        elif self.kind == "zscore":
            _line(out.reshape(-1), *_float32(-np.inf, np.inf, scale.mean, 1 / scale.std))
        return out

    def into(self, array: NDArray[Any], scale: CaseScale, out: NDArray[np.float32]) -> None:
        """Write the values of a channel where they are needed, to the bit those of `apply`.

        An integer of up to 16 bits can have few values: what each becomes is worked out once and looked up, in one pass
        from the stored type to float32.

        Args:
            array: Stored values.
            scale: What the case keeps of the channel.
            out: C-contiguous, of the same shape.
        """
        kind = array.dtype
        if (
            kind.kind in "iu"
            and kind.itemsize <= 2
            and kind.isnative
            and array.size >= 1 << 8 * kind.itemsize
        ):
            bits = np.ascontiguousarray(array).reshape(-1).view(f"u{kind.itemsize}")
            _look_up(bits, _table(self, scale, kind.char), out.reshape(-1))
        else:
            out[...] = self.apply(array, scale)

    def value(self, value: float, scale: CaseScale) -> float:
        """One stored value as the network sees it."""
        return float(self.apply(np.array([[[value]]], dtype=np.float32), scale)[0, 0, 0])

    def centre(self) -> float:
        """What contrast leaves alone: the middle of [0, 1], the usual median on the standard scale, or the mean."""
        if self.kind == "nyul" and self.fitted is not None:
            return self.fitted.standard[landmarks.PERCENTS.index(50.0)]
        return 0.5 if self.kind in _UNIT_RANGE else 0.0

    def span(self, scale: CaseScale) -> float:
        """Width of what counts as the range [0, 1]: for z-scores, percentile 0.5 to 99.5 of the foreground."""
        if self.kind == "nyul":
            return landmarks.SCALE[1] - landmarks.SCALE[0]
        if self.kind == "cohort" and self.fitted is not None:
            return (self.fitted.high - self.fitted.low) / self.fitted.std
        return 1.0 if self.kind in _UNIT_RANGE else scale.width / scale.std


@lru_cache(maxsize=32)
def _table(scaling: Scaling, scale: CaseScale, kind: str) -> NDArray[np.float32]:
    """What every value of an integer type becomes, in the order of their bits."""
    bits = 8 * np.dtype(kind).itemsize
    table = scaling.apply(np.arange(1 << bits, dtype=f"u{bits // 8}").view(kind), scale)
    table.flags.writeable = False
    return table


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _look_up(bits: Any, table: Any, out: Any) -> None:
    for n in range(bits.size):
        out[n] = table[bits[n]]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _line(values: Any, low: Any, high: Any, mean: Any, factor: Any) -> None:
    """Cut off, shift and scale in place."""
    for n in range(values.size):
        value = values[n]
        if value < low:
            value = low
        elif value > high:
            value = high
        values[n] = (value - mean) * factor


def _float32(*values: float) -> tuple[np.float32, ...]:
    return tuple(np.float32(v) for v in values)


def scalings_of(
    manifest: Manifest,
    channels: Sequence[str],
    normalise: str | Mapping[str, str] | None,
    fitted: Mapping[str, FittedChannel] | None = None,
) -> tuple[Scaling, ...]:
    """The channels of a sample, in their order.

    Args:
        manifest: What the store says of its channels.
        channels: The stored channels that are wanted.
        normalise: None for the rule of each channel, one word for all, or a word per channel: those of
            `isocenter.model.normalisation`.
        fitted: What was fitted over the training cases, where `needs_fitting` says that it is needed.

    Raises:
        ConfigError: a word, a window or a channel is not known, a window does not fit the unit, or a channel has
            nothing that could be fitted.
    """
    out: list[Scaling] = []
    for number, (name, word) in enumerate(words_of(manifest, channels, normalise).items()):
        out += _of_channel(manifest, number, name, word, (fitted or {}).get(name))
    return tuple(out)


def needs_fitting(
    manifest: Manifest, channels: Sequence[str], normalise: str | Mapping[str, str] | None
) -> bool:
    """Whether a channel is normalised by what is fitted over the training cases."""
    words = words_of(manifest, channels, normalise).values()
    return any(word is not None and word.kind in FITTED for word in words)


def words_of(
    manifest: Manifest, channels: Sequence[str], normalise: str | Mapping[str, str] | None
) -> dict[str, Normalisation | None]:
    """What is said of each channel, by the caller or else by the cohort; None where nobody said anything."""
    asked = dict.fromkeys(channels, normalise) if isinstance(normalise, str | None) else dict(normalise)
    if unknown := [c for c in asked if c not in channels]:
        raise ConfigError(f"normalise: no channel {unknown[0]!r}{did_you_mean(unknown[0], list(channels))}")
    out: dict[str, Normalisation | None] = {}
    for name in channels:
        word = asked.get(name) or manifest.task.channels[name].normalise
        try:
            out[name] = Normalisation.of(word) if word else None
        except ValueError as error:
            raise ConfigError(f"normalise: {error}") from None
    return out


def _of_channel(
    manifest: Manifest, number: int, name: str, word: Normalisation | None, fitted: FittedChannel | None
) -> list[Scaling]:
    is_ct = manifest.task.channels[name].modality == "CT"
    shown = list(manifest.windows.get(name, ()))
    if word is None and not shown:
        if not is_ct:
            return [Scaling(name=name, channel=number, kind="zscore")]
        low, high = manifest.hu_range or _WHOLE_HU_RANGE
        whole = Window(name="hu-range", centre=(low + high) / 2, width=high - low)
        return [Scaling(name=name, channel=number, kind="window", window=whole)]
    if word is not None and word.kind != "window":
        return [_without_window(number, name, word, fitted)]
    if word is not None:
        shown = [_window(manifest, name, w) for w in word.windows]
    if wrong := [w.name for w in shown if (w.unit == "HU") != is_ct]:
        raise ConfigError(f"normalise: window {wrong[0]!r} is not in the unit of channel {name!r}")
    return [Scaling(name=f"{name}:{w.name}", channel=number, kind="window", window=w) for w in shown]


def _without_window(number: int, name: str, word: Normalisation, fitted: FittedChannel | None) -> Scaling:
    if word.kind not in FITTED:
        percents = word.percents if word.kind == "percentile" else ()
        return Scaling(name=name, channel=number, kind=word.kind, percents=percents)
    if fitted is None:
        raise ConfigError(f"normalise: no training case has channel {name!r}")
    if word.kind == "nyul":
        if not fitted.standard:
            raise ConfigError(f"normalise: in no training case has channel {name!r} a range of values")
        return Scaling(name=name, channel=number, kind="nyul", percents=landmarks.PERCENTS, fitted=fitted)
    if len(fitted.units) > 1:
        units = " and ".join(fitted.units)
        raise ConfigError(f"normalise: channel {name!r} is in {units}, which have no mean in common")
    if not fitted.std > 0:
        raise ConfigError(f"normalise: the training cases have one single value in channel {name!r}")
    if fitted.error > MOST_ERROR * (fitted.high - fitted.low):
        raise ConfigError(
            f"normalise: percentiles of channel {name!r} are known to {fitted.error:g} only, between {fitted.low:g} and"
            f" {fitted.high:g}: in some training case a value lies far beyond all others"
        )
    return Scaling(name=name, channel=number, kind="cohort", fitted=fitted)


def _between(low: float, high: float) -> Window:
    """The window from one value to another; from a value to itself it is a threshold."""
    width = max(high - low, float(np.finfo(np.float64).tiny))
    return Window(name="percentile", centre=(low + high) / 2, width=width, unit="")


def _window(manifest: Manifest, channel: str, name: str) -> Window:
    own = {w.name: w for w in manifest.windows.get(channel, ())}
    known = {**windows.WINDOWS, **own}
    if name not in known:
        raise ConfigError(f"normalise: no window {name!r}{did_you_mean(name, sorted(known))}")
    return known[name]
