"""Samplers: where in a volume a patch lies. Every tuple is (k, j, i) in voxels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean

Triple: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What a case has to centre patches on: voxels `(N, 4)` (label value, kji), boxes `(N, 6)` (lo, hi kji)."""

    voxels: NDArray[np.int32]
    boxes: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every place of a patch inside the volume is as likely as any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCentred:
    """A share of the patches is centred on a labelled voxel, as far as the border allows; the rest is uniform.

    The label is drawn first, each that is present with the same chance, then one of its voxels. Where a
    case has no mask but boxes, a box is drawn and a place in it. This changes how often a network sees a
    label: every sample says which way it was drawn.
    """

    share: float = 1 / 3

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ConfigError(f"sampler: a share lies between 0 and 1, not {self.share:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Patches that cover the whole volume, the last ones flush with its border; nothing is by chance."""

    overlap: Triple = (0, 0, 0)


Sampler: TypeAlias = Uniform | LabelCentred | Grid

_BY_NAME: dict[str, Callable[[], Sampler]] = {"uniform": Uniform, "label": LabelCentred, "grid": Grid}


def sampler_of(value: str | Sampler) -> Sampler:
    """A sampler by its name, with its defaults, or as it is."""
    if not isinstance(value, str):
        return value
    if value not in _BY_NAME:
        raise ConfigError(f"no sampler {value!r}{did_you_mean(value, sorted(_BY_NAME))}")
    return _BY_NAME[value]()


def corner_of(axis_size: int, patch_size: int) -> int:
    """The first voxel of a patch that is larger than the volume: half of what is missing before it."""
    return -((patch_size - axis_size) // 2)


def draw(
    sampler: Uniform | LabelCentred,
    generator: np.random.Generator,
    shape: Triple,
    patch: Triple,
    targets: Callable[[], Targets],
) -> tuple[Triple, str]:
    """Draw a patch's first voxel, and how it was drawn: "label" or "uniform"."""
    if isinstance(sampler, LabelCentred) and generator.random() < sampler.share:
        centre = _labelled(generator, targets())
        if centre is not None:
            return _around(centre, shape, patch), "label"
    k, j, i = (
        int(generator.integers(0, n - p + 1)) if n >= p else corner_of(n, p)
        for n, p in zip(shape, patch, strict=True)
    )
    return (k, j, i), "uniform"


def counts_on_grid(shapes: NDArray[np.int64], patch: Triple, overlap: Triple) -> NDArray[np.int64]:
    """How many patches (N, 3) cover volumes (N, 3) along each axis."""
    step = _steps(patch, overlap)
    beyond = np.maximum(shapes - np.array(patch), 0)
    out: NDArray[np.int64] = -(-beyond // step) + 1
    return out


def place_on_grid(
    number: int, counts: NDArray[np.int64], shape: Triple, patch: Triple, overlap: Triple
) -> Triple:
    """First voxel of the nth patch of a covering grid, i fastest."""
    at = np.unravel_index(number, tuple(int(n) for n in counts))
    steps = _steps(patch, overlap)
    k, j, i = (
        min(int(a) * int(s), n - p) if n >= p else corner_of(n, p)
        for a, s, n, p in zip(at, steps, shape, patch, strict=True)
    )
    return k, j, i


def _steps(patch: Triple, overlap: Triple) -> NDArray[np.int64]:
    steps = np.array(patch, dtype=np.int64) - np.array(overlap, dtype=np.int64)
    if (steps < 1).any() or min(overlap) < 0:
        raise ConfigError("sampler: the overlap is less than the patch along every axis, and not negative")
    return steps


def _labelled(generator: np.random.Generator, targets: Targets) -> Triple | None:
    """A labelled voxel, or None where nothing is labelled."""
    if len(targets.voxels):
        present = np.unique(targets.voxels[:, 0])
        chosen = targets.voxels[targets.voxels[:, 0] == present[int(generator.integers(len(present)))]]
        _, k, j, i = (int(n) for n in chosen[int(generator.integers(len(chosen)))])
        return k, j, i
    if len(targets.boxes):
        box = targets.boxes[int(generator.integers(len(targets.boxes)))]
        k, j, i = (
            int(generator.integers(low, max(high, low + 1)))
            for low, high in zip(box[:3], box[3:], strict=True)
        )
        return k, j, i
    return None


def _around(centre: Triple, shape: Triple, patch: Triple) -> Triple:
    k, j, i = (
        min(max(c - p // 2, 0), n - p) if n >= p else corner_of(n, p)
        for c, n, p in zip(centre, shape, patch, strict=True)
    )
    return k, j, i
