"""Fitted: what was measured of the training part of a split, kept in the store beside the split it belongs to.

`fitted/<split>.json`, or `fitted/<split>.fold-<n>.json` where the other folds are the training part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.base.digests import canonical_json, digest_of
from isocenter.base.errors import StoreCorrupt
from isocenter.base.files import read_json, write_json

FOLDER = "fitted"
_FORM = 1
"""Goes up when the same cases would be fitted to other numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedChannel:
    """What the foreground of one channel is over all training cases.

    Args:
        cases: How many cases have the channel.
        count: Voxels of their foreground.
        mean: Their mean.
        std: Their standard deviation (of the population).
        low: Percentile 0.5 of all of them together.
        high: Percentile 99.5.
        error: Bound of the error of `low` and `high`; 0 where whole numbers were counted.
        standard: Where the landmarks of `isocenter.imaging.landmarks` lie on the standard scale; empty where no case
            has a scale.
        without_scale: How many cases have none, as their foreground is of one value, and count nothing there.
        units: The units that occur.
        foregrounds: What was taken for foreground.
    """

    cases: int
    count: int
    mean: float
    std: float
    low: float
    high: float
    error: float
    standard: tuple[float, ...]
    without_scale: int
    units: tuple[str, ...]
    foregrounds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What was fitted over the training part of a split: of how many cases, which, and each channel."""

    split: str
    fold: int | None
    cases: int
    digest: str
    channels: dict[str, FittedChannel]


def digest_of_cases(cases: Iterable[tuple[str, str]]) -> str:
    """Digest of a list of cases, each with the digest of its record; their order is no matter."""
    return digest_of([_FORM, sorted(cases)])


def name_of(split: str, fold: int | None) -> str:
    """The file, relative to the store; a split's name holds no point, so that no two share one."""
    return f"{FOLDER}/{split}.json" if fold is None else f"{FOLDER}/{split}.fold-{fold}.json"


def fitted_names(root: Path) -> tuple[tuple[str, int | None], ...]:
    """Split and fold of everything that was fitted in a store, sorted by the names of the files."""
    out: list[tuple[str, int | None]] = []
    for path in sorted((root / FOLDER).glob("*.json")):
        split, _, fold = path.name.removesuffix(".json").partition(".fold-")
        out.append((split, int(fold) if fold.isdecimal() else None))
    return tuple(out)


def write_fitted(root: Path, fitted: Fitted) -> None:
    """Write what was fitted into a store; the same cases make the same bytes."""
    plain = json.loads(canonical_json(fitted))
    (root / FOLDER).mkdir(exist_ok=True)
    write_json(root / name_of(fitted.split, fitted.fold), {"fitted": plain, "seal": digest_of(plain)})


def read_fitted(root: Path, split: str, fold: int | None) -> Fitted | None:
    """What was fitted, None where nothing was yet.

    Raises:
        StoreCorrupt: the file is not the one that was written.
    """
    name = name_of(split, fold)
    try:
        document = read_json(root / name)
        plain = document["fitted"]
        if digest_of(plain) != document["seal"] or (plain["split"], plain["fold"]) != (split, fold):
            raise StoreCorrupt(f"{name} is not what was written")
        channels = {n: FittedChannel(**_typed(c)) for n, c in plain["channels"].items()}
        return Fitted(**{**plain, "channels": channels})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, StoreCorrupt):
            raise
        raise StoreCorrupt(f"{name} cannot be read ({type(error).__name__})") from None


def _typed(channel: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in channel.items()}
