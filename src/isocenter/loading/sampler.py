"""Samplers: where in a volume a patch lies. Every tuple is (k, j, i) in voxels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean

Triple: TypeAlias = tuple[int, int, int]
PatchSize: TypeAlias = tuple[int | None, int | None, int | None]
"""(k, j, i) of a patch; None along an axis takes all of the volume there."""

BACKGROUND = "background"
_BY = ("voxel", "lesion")
_MAPS = ("mask", "share", "known")


class Weights(Protocol):
    """Weights of a case's voxels."""

    def draw(self, generator: np.random.Generator) -> Triple | None:
        """A voxel, each as likely as its weight; None where no voxel has any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What a case has to centre patches on.

    Args:
        voxels: (N, 4): number of the label, k, j, i.
        boxes: (N, 6): lo, hi kji.
        box_numbers: Number of the label of each box.
        numbers: Number of each label.
        weights: The map that a sampler asks for; None where the case has none.
    """

    voxels: NDArray[np.int32]
    boxes: NDArray[np.int32]
    box_numbers: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    numbers: Mapping[str, int] = field(default_factory=dict)
    weights: Weights | None = None


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every place of a patch inside the volume is as likely as any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCentred:
    """A share of the patches is centred on a labelled voxel, as far as the border allows; the rest is uniform.

    By voxel, the label is drawn first, each that is present with the same chance, then one of its voxels: a large
    lesion is seen more often than a small one. By lesion, a box is drawn, each with the same chance, and one of the
    labelled voxels in it, or where there are none, a place in it; so it is in any case where a case has boxes and no
    mask. This changes how often a network sees a label: every sample says which way it was drawn.
    """

    share: float = 1 / 3
    by: str = "voxel"

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ConfigError(f"sampler: a share lies between 0 and 1, not {self.share:g}")
        if self.by not in _BY:
            raise ConfigError(f"sampler: by is one of {', '.join(_BY)}, not {self.by!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """Patches are centred on voxels by their weight, as far as the border allows.

    Args:
        labels: Label, or "background", to its weight: one is drawn by them, of those that the case has, then a voxel of
            it; for the background, any place.
        map: A stored map instead: "share:<label>" (how sure several raters are), "known:<label>" (where it is known
            whether a label is there) or "mask:<label>"; each voxel that is no padding is as likely as its value. The map
            of a case is read once, when its first patch is drawn. A case without it is drawn from uniformly.
    """

    labels: Mapping[str, float] = field(default_factory=dict)
    map: str = ""

    def __post_init__(self) -> None:
        if bool(self.labels) == bool(self.map):
            raise ConfigError("sampler: weights are those of labels, or of one map")
        weights = list(self.labels.values())
        if any(not 0 <= w < np.inf for w in weights) or (weights and not any(weights)):
            raise ConfigError("sampler: weights are not negative, and not all 0")
        if self.map and self.map.partition(":")[0] not in _MAPS:
            raise ConfigError(f"sampler: a map is one of {', '.join(m + ':<label>' for m in _MAPS)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The labels that it speaks of."""
        return (self.map.partition(":")[2],) if self.map else tuple(n for n in self.labels if n != BACKGROUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Patches that cover the whole volume, the last ones flush with its border; nothing is by chance."""

    overlap: Triple = (0, 0, 0)

    def __post_init__(self) -> None:
        if not isinstance(self.overlap, Sequence) or len(self.overlap) != 3:
            raise ConfigError(
                f"sampler: an overlap is three numbers of voxels (k, j, i), not {self.overlap!r}"
            )


Drawn: TypeAlias = Uniform | LabelCentred | Weighted
Sampler: TypeAlias = Drawn | Grid

_BY_NAME: dict[str, Callable[[], Sampler]] = {
    "uniform": Uniform,
    "label": LabelCentred,
    "lesion": lambda: LabelCentred(by="lesion"),
    "grid": Grid,
}


def sampler_of(value: str | Sampler) -> Sampler:
    """A sampler by its name, with its defaults, or as it is.

    Raises:
        ConfigError: it is none.
    """
    if isinstance(value, Sampler):
        return value
    if not isinstance(value, str):
        given = (
            f"the class {value.__name__}: make one, {value.__name__}()"
            if isinstance(value, type)
            else repr(value)
        )
        raise ConfigError(f"sampler: a name, or one of isocenter.loading.sampler, not {given}")
    if value not in _BY_NAME:
        raise ConfigError(f"no sampler {value!r}{did_you_mean(value, sorted(_BY_NAME))}")
    return _BY_NAME[value]()


def corner_of(axis_size: int, patch_size: int) -> int:
    """The first voxel of a patch that is larger than the volume: half of what is missing before it."""
    return -((patch_size - axis_size) // 2)


def draw(
    sampler: Drawn,
    generator: np.random.Generator,
    shape: Triple,
    patch: Triple,
    targets: Callable[[], Targets],
) -> tuple[Triple, str]:
    """Draw a patch's first voxel, and how it was drawn: "label", "map" or "uniform"."""
    centre, how = None, "label"
    if isinstance(sampler, LabelCentred) and generator.random() < sampler.share:
        centre = _labelled(generator, targets(), sampler.by)
    elif isinstance(sampler, Weighted) and sampler.labels:
        centre = _by_label(generator, targets(), sampler.labels)
    elif isinstance(sampler, Weighted):
        weights = targets().weights
        centre, how = None if weights is None else weights.draw(generator), "map"
    if centre is not None:
        return _around(centre, shape, patch), how
    k, j, i = (
        int(generator.integers(0, n - p + 1)) if n >= p else corner_of(n, p)
        for n, p in zip(shape, patch, strict=True)
    )
    return (k, j, i), "uniform"


def counts_on_grid(
    shapes: NDArray[np.int64], patch: Triple | NDArray[np.int64], overlap: Triple
) -> NDArray[np.int64]:
    """How many patches (N, 3) cover volumes (N, 3) along each axis; `patch` is one size, or (N, 3)."""
    step = _steps(patch, overlap)
    beyond = np.maximum(shapes - np.asarray(patch), 0)
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


def starts_on_grid(axis_size: int, patch_size: int, overlap: int) -> list[int]:
    """First voxels of the patches that cover one axis."""
    if axis_size < patch_size:
        return [corner_of(axis_size, patch_size)]
    step = patch_size - overlap
    count = -(-(axis_size - patch_size) // step) + 1
    return [min(n * step, axis_size - patch_size) for n in range(count)]


def _steps(patch: Triple | NDArray[np.int64], overlap: Triple) -> NDArray[np.int64]:
    steps = np.array(patch, dtype=np.int64) - np.array(overlap, dtype=np.int64)
    if (steps < 1).any() or min(overlap) < 0:
        raise ConfigError("sampler: the overlap is less than the patch along every axis, and not negative")
    return steps


def _labelled(generator: np.random.Generator, targets: Targets, by: str) -> Triple | None:
    """A labelled voxel, or None where nothing is labelled."""
    if len(targets.voxels) and not (by == "lesion" and len(targets.boxes)):
        present = np.unique(targets.voxels[:, 0])
        return _voxel_of(generator, targets, int(present[int(generator.integers(len(present)))]))
    return _in_a_box(generator, targets, np.arange(len(targets.boxes)))


def _by_label(
    generator: np.random.Generator, targets: Targets, weights: Mapping[str, float]
) -> Triple | None:
    """A voxel of a label drawn by its weight; None where that is the background, or nothing is there."""
    there = {*np.unique(targets.voxels[:, 0]).tolist(), *targets.box_numbers.tolist()}
    possible = [(n, w) for n, w in weights.items() if n == BACKGROUND or targets.numbers[n] in there]
    ends = np.cumsum([w for _, w in possible])
    if not len(ends) or not ends[-1]:
        return None
    name = possible[int(np.searchsorted(ends, generator.random() * ends[-1], side="right"))][0]
    if name == BACKGROUND:
        return None
    value = targets.numbers[name]
    if (targets.voxels[:, 0] == value).any():
        return _voxel_of(generator, targets, value)
    return _in_a_box(generator, targets, np.flatnonzero(targets.box_numbers == value))


def _voxel_of(generator: np.random.Generator, targets: Targets, value: int) -> Triple:
    chosen = targets.voxels[targets.voxels[:, 0] == value]
    _, k, j, i = (int(n) for n in chosen[int(generator.integers(len(chosen)))])
    return k, j, i


def _in_a_box(generator: np.random.Generator, targets: Targets, which: NDArray[Any]) -> Triple | None:
    """A labelled voxel in one of some boxes, or else any place in it."""
    if not len(which):
        return None
    box = targets.boxes[which[int(generator.integers(len(which)))]]
    at = targets.voxels[:, 1:]
    inside = np.flatnonzero(((at >= box[:3]) & (at < box[3:])).all(axis=1))
    if len(inside):
        k, j, i = (int(n) for n in at[inside[int(generator.integers(len(inside)))]])
        return k, j, i
    k, j, i = (
        int(generator.integers(low, max(high, low + 1))) for low, high in zip(box[:3], box[3:], strict=True)
    )
    return k, j, i


def _around(centre: Triple, shape: Triple, patch: Triple) -> Triple:
    k, j, i = (
        min(max(c - p // 2, 0), n - p) if n >= p else corner_of(n, p)
        for c, n, p in zip(centre, shape, patch, strict=True)
    )
    return k, j, i
