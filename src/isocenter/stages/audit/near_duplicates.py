"""Near-duplicates: which images show the same, though not one byte of them need be equal."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

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
# Less of a field of view than this in common is a crop.
_CROPPED = 0.93
# Pictures that are kept ready for comparison, some 100 kB each, and pairs that threads get at a time.
_KEPT, _AT_A_TIME = 2048, 256


def pairs(
    descriptors: Mapping[str, Descriptor],
    *,
    alike: float = ALIKE,
    nearest: int = 8,
    jobs: int = 1,
    progress: Progress = silent,
) -> list[Pair]:
    """All pairs of images that show the same, by their names, in the order of the names.

    Of several images with the same pixels only the first by name is compared with others, and each of the others is
    paired with it: that is enough to see whether they are in several partitions.

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
    first: dict[str, str] = {}
    out = []
    for name in names:
        exact = descriptors[name].exact
        if exact and exact in first:
            out.append(Pair(a=first[exact], b=name, score=1.0, kind="same-pixels"))
        elif exact:
            first[exact] = name
    single = [n for n in names if first.get(descriptors[n].exact) == n]
    known = [descriptors[n] for n in single]
    todo = candidates(known, nearest)
    for (a, b), found in zip(todo, _compared(known, todo, jobs, progress), strict=True):
        if found.score >= alike:
            score = round(min(found.score, 1.0), 4)
            out.append(Pair(a=single[a], b=single[b], score=score, kind=_kind(found)))
    return sorted(out, key=lambda p: (p.a, p.b))


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
