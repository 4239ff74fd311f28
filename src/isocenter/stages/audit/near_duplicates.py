"""Near-duplicates: which images show the same, though not one byte of them need be equal."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError
from isocenter.base.progress import Progress, follow, silent
from isocenter.imaging.descriptor import VERSION, Descriptor
from isocenter.imaging.likeness import Layers, Likeness, layers_of, likeness
from isocenter.model.descriptor_rows import Pair
from isocenter.stages.audit.candidates import candidates

ALIKE = 0.78
"""Two images are one from this correlation on: where it comes from is told in docs/explanation/near-duplicates.md."""
EQUALS = 32
"""Of so many images with the same pixels every pair is told; of the rest their pairs with these."""
# Less of a field of view than this in common is a crop.
_CROPPED = 0.93
# Pictures that are kept ready for comparison, some 100 kB each, and pairs that threads get at a time.
_KEPT, _AT_A_TIME = 2048, 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Pairs of images that show the same.

    Args:
        pairs: The pairs.
        looks: How many candidates were looked at closely.
        dropped: How many nobody looked at, because there were too many.
    """

    pairs: list[Pair]
    looks: int
    dropped: int


def pairs(
    descriptors: Mapping[str, Descriptor],
    *,
    alike: float = ALIKE,
    nearest: int = 8,
    jobs: int = 1,
    progress: Progress = silent,
) -> list[Pair]:
    """All pairs of images that show the same, as `compare` finds them."""
    return compare(descriptors, alike=alike, nearest=nearest, jobs=jobs, progress=progress).pairs


def compare(
    descriptors: Mapping[str, Descriptor],
    *,
    alike: float = ALIKE,
    nearest: int = 8,
    jobs: int = 1,
    progress: Progress = silent,
) -> Compared:
    """All pairs of images that show the same, by their names, in the order of the names.

    Of several images with the same pixels only the first by name is compared with others, and what is found holds
    for all of them, as a split may use any. Pairs of more than `EQUALS` such images are those of the first `EQUALS`
    with all others: enough to see a leak as long as a split uses one of these.

    Args:
        descriptors: The images, by name.
        alike: The correlation from which on two are one.
        nearest: How many others of each image are looked at closely, of many images.
        jobs: How many threads compare.
        progress: Called as pairs are compared.

    Raises:
        ConfigError: descriptors of several versions cannot be compared.
    """
    if versions := {d.version for d in descriptors.values()} - {VERSION}:
        raise ConfigError(
            f"descriptors of version {versions.pop()} cannot be compared with those of {VERSION}"
        )
    names = sorted(descriptors)
    classes: dict[str, list[str]] = {}
    for name in names:
        if exact := descriptors[name].exact:
            classes.setdefault(exact, []).append(name)
    equals = list(classes.values())
    out = [
        Pair(a=a, b=b, score=1.0, kind="same-pixels")
        for same in equals
        for n, a in enumerate(same[:EQUALS])
        for b in same[n + 1 :]
    ]
    known = [descriptors[same[0]] for same in equals]
    todo, dropped = candidates(known, nearest)
    for (a, b), found in zip(todo, _compared(known, todo, jobs, progress), strict=True):
        if found.score >= alike:
            score = round(min(found.score, 1.0), 4)
            for one, other in _between(equals[a], equals[b]):
                out.append(Pair(a=min(one, other), b=max(one, other), score=score, kind=_kind(found)))
    return Compared(pairs=sorted(out, key=lambda p: (p.a, p.b)), looks=len(todo), dropped=dropped)


def _between(some: Sequence[str], others: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of two classes of equal images: the first ones of each with all of the other."""
    for n, one in enumerate(some):
        for other in others if n < EQUALS else others[:EQUALS]:
            yield one, other


def _kind(found: Likeness) -> str:
    if found.is_mirrored:
        return "mirrored"
    return "cropped" if found.covered < _CROPPED else "near-duplicate"


def _compared(
    known: Sequence[Descriptor], todo: NDArray[np.int64], jobs: int, progress: Progress
) -> list[Likeness]:
    """Likeness of every pair, in their order; what was prepared of an image is kept for a while."""
    kept: OrderedDict[int, Layers] = OrderedDict()

    def ready(place: int) -> Layers:
        layers = kept.pop(place, None) or layers_of(known[place])
        kept[place] = layers
        if len(kept) > _KEPT:
            kept.popitem(last=False)
        return layers

    out: list[Likeness] = []
    starts = range(0, len(todo), _AT_A_TIME)
    with ThreadPoolExecutor(max(1, jobs)) as threads:
        for start in follow(starts, progress, stage="audit", total=len(starts), unit="blocks"):
            both = [(ready(int(a)), ready(int(b))) for a, b in todo[start : start + _AT_A_TIME]]
            out += threads.map(lambda pair: likeness(*pair), both)
    return out
