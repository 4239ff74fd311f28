"""Normalisation: how stored values become what a network sees, one rule per channel.

* A window gives one channel in [0, 1]: its own limits become 0 and 1, what lies outside is cut off.
* CT without a window is shown through the window of the store's whole HU range (-1024 to 3071 where the
  store is not clipped), so that every case is scaled alike and HU stay comparable.
* All else (MR, PET, radiographs) has no common scale: (value - mean) / standard deviation, both of the
  case's foreground, as the store keeps them.
* "none" gives the stored values as float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean
from isocenter.imaging import windows
from isocenter.model.task import Window
from isocenter.stores.manifest import Manifest

_WHOLE_HU_RANGE = (-1024, 3071)
_KINDS = ["none", "window:<name>", "zscore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScale:
    """What a case keeps of one channel: mean and standard deviation, and the width from percentile 0.5 to 99.5."""

    mean: float = 0.0
    std: float = 1.0
    width: float = 6.0

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
        kind: "window", "zscore" or "none".
        window: The window.
    """

    name: str
    channel: int
    kind: str
    window: Window | None = None

    def apply(self, array: NDArray[Any], scale: CaseScale) -> NDArray[np.float32]:
        """Values of a channel as the network sees them."""
        if self.window is not None:
            return windows.apply(array, self.window)
        out = array.astype(np.float32)
        if self.kind == "zscore":
            out -= np.float32(scale.mean)
            out *= np.float32(1 / scale.std)
        return out

    def value(self, value: float, scale: CaseScale) -> float:
        """One stored value as the network sees it."""
        return float(self.apply(np.array([[[value]]], dtype=np.float32), scale)[0, 0, 0])

    def centre(self) -> float:
        """What contrast leaves alone: the middle of the window, or the mean of the foreground."""
        return 0.5 if self.kind == "window" else 0.0

    def span(self, scale: CaseScale) -> float:
        """Width of what counts as the range [0, 1]: for z-scores, percentile 0.5 to 99.5 of the foreground."""
        return 1.0 if self.kind == "window" else scale.width / scale.std


def scalings_of(
    manifest: Manifest, channels: Sequence[str], normalise: str | Mapping[str, str] | None
) -> tuple[Scaling, ...]:
    """The channels of a sample, in their order.

    Args:
        manifest: What the store says of its channels.
        channels: The stored channels that are wanted.
        normalise: None for the rule of each channel, one word for all, or a word per channel: "none",
            "zscore", "window:<name>[,<name>]".

    Raises:
        ConfigError: a word, a window or a channel is not known, or a window does not fit the unit.
    """
    words = dict.fromkeys(channels, normalise) if isinstance(normalise, str | None) else dict(normalise)
    if unknown := [c for c in words if c not in channels]:
        raise ConfigError(f"normalise: no channel {unknown[0]!r}{did_you_mean(unknown[0], list(channels))}")
    out: list[Scaling] = []
    for number, name in enumerate(channels):
        out += _of_channel(manifest, number, name, words.get(name))
    return tuple(out)


def _of_channel(manifest: Manifest, number: int, name: str, word: str | None) -> list[Scaling]:
    is_ct = manifest.task.channels[name].modality == "CT"
    shown = list(manifest.windows.get(name, ()))
    if word is None and not shown:
        if not is_ct:
            return [Scaling(name=name, channel=number, kind="zscore")]
        low, high = manifest.hu_range or _WHOLE_HU_RANGE
        whole = Window(name="hu-range", centre=(low + high) / 2, width=high - low)
        return [Scaling(name=name, channel=number, kind="window", window=whole)]
    if word in {"none", "zscore"}:
        return [Scaling(name=name, channel=number, kind=word)]
    if word is not None:
        shown = [_window(manifest, name, w.strip(), word) for w in word.removeprefix("window:").split(",")]
    if wrong := [w.name for w in shown if (w.unit == "HU") != is_ct]:
        raise ConfigError(f"normalise: window {wrong[0]!r} is not in the unit of channel {name!r}")
    return [Scaling(name=f"{name}:{w.name}", channel=number, kind="window", window=w) for w in shown]


def _window(manifest: Manifest, channel: str, name: str, word: str) -> Window:
    if not word.startswith("window:"):
        raise ConfigError(f"normalise: {word!r} is none of {', '.join(_KINDS)}")
    own = {w.name: w for w in manifest.windows.get(channel, ())}
    known = {**windows.WINDOWS, **own}
    if name not in known:
        raise ConfigError(f"normalise: no window {name!r}{did_you_mean(name, sorted(known))}")
    return known[name]
