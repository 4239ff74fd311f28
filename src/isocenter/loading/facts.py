"""Facts: what a sample needs of a case besides its voxels, kept for the cases seen last, within a bound of bytes."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.loading.maps import WeightMap, weight_map
from isocenter.loading.sampler import BACKGROUND, LabelCentred, Sampler, Targets, Triple, Weighted
from isocenter.stores.layout import affine_of
from isocenter.stores.lazy import LazyArray
from isocenter.stores.manifest import Manifest

_SMALL = 4096
"""Bytes that the objects of one case take besides their numbers, counted generously."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Facts:
    """Geometry and targets of a case.

    `points` are (N, 4), as raters set them; `numbered` are names of arrays by what they are and label.
    """

    affine: NDArray[np.float64]
    boxes: NDArray[np.float64]
    boxes_voxel: NDArray[np.int32]
    box_labels: NDArray[np.int64]
    points: NDArray[np.float64]
    point_labels: tuple[str, ...]
    numbered: Mapping[str, Mapping[str, str]]
    targets: Targets

    @property
    def nbytes(self) -> int:
        """About as many bytes as it takes."""
        arrays: list[NDArray[Any]] = [
            self.boxes,
            self.points,
            self.boxes_voxel,
            self.box_labels,
            self.targets.voxels,
            self.targets.box_numbers,
        ]
        weights = self.targets.weights
        ends = weights.ends.nbytes if isinstance(weights, WeightMap) else 0
        return _SMALL + ends + sum(a.nbytes for a in arrays)


class Recent:
    """The facts of the cases seen last; threads may share it, and a copy begins empty.

    Args:
        most_bytes: How much they may take; one case is kept in any case.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._lock, self._process = threading.Lock(), os.getpid()
        self._known: OrderedDict[int, Facts] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, case: int, make: Callable[[], Facts]) -> Facts:
        """The facts of a case, made where they are not known; threads may make them at the same time, each for itself."""
        with self._alone():
            known = self._known.get(case)
            if known is not None:
                self._known.move_to_end(case)
                return known
        made = make()
        with self._alone():
            if case not in self._known:
                self._known[case] = made
                self._bytes += made.nbytes
            while self._bytes > self._most and len(self._known) > 1:
                self._bytes -= self._known.popitem(last=False)[1].nbytes
        return made

    def _alone(self) -> threading.Lock:
        """The lock; a forked child has its own, as a thread that it lacks may have held that of its parent."""
        if self._process != os.getpid():
            self._lock, self._process = threading.Lock(), os.getpid()
        return self._lock

    def __reduce__(self) -> tuple[type[Recent], tuple[int]]:
        return type(self), (self._most,)


def has_aims(
    meta: Mapping[str, Any], arrays: Mapping[str, LazyArray], manifest: Manifest, sampler: Sampler
) -> bool:
    """Whether a case has anything that the sampler draws from; no volume is read for it."""
    boxes = set(meta["box_labels"])
    if isinstance(sampler, LabelCentred):
        return not sampler.share or bool(boxes) or (sampler.by == "voxel" and "foreground" in arrays)
    if not isinstance(sampler, Weighted):
        return True
    kind, _, label = sampler.map.partition(":")
    if kind in {"share", "known"}:
        return label in meta["shares" if kind == "share" else "known"]
    asked = {label} if kind else {n for n, weight in sampler.labels.items() if weight}
    if BACKGROUND in asked and not kind:
        return True
    numbers = _numbers(manifest)
    marked = set(np.unique(arrays["foreground"][:, 0]).tolist()) if "foreground" in arrays else set()
    return bool(marked & {numbers[n] for n in asked}) or (not kind and bool(boxes & asked))


def _numbers(manifest: Manifest) -> dict[str, int]:
    """What each label is called by in masks, or where labels overlap, its plane, from 1."""
    task = manifest.task
    order = sorted(task.labels, key=lambda n: task.labels[n].value)
    return {n: place + 1 if task.overlapping else task.labels[n].value for place, n in enumerate(order)}


def facts_of(
    meta: Mapping[str, Any], arrays: Mapping[str, LazyArray], manifest: Manifest, sampler: Sampler
) -> Facts:
    """The facts of a case; its labelled voxels and weights only where the sampler asks for them."""
    task, has_boxes = manifest.task, "boxes" in arrays
    numbers = _numbers(manifest)
    numbered = {
        "known": {n: f"known-{i:03}" for i, n in enumerate(meta["known"])},
        "share": {n: f"share-{i:03}" for i, n in enumerate(meta["shares"])},
    }
    boxes_voxel = arrays["boxes_voxel"][...] if has_boxes else np.zeros((0, 6), np.int32)
    is_asked = isinstance(sampler, LabelCentred | Weighted) and "foreground" in arrays
    weights = None
    if isinstance(sampler, Weighted) and sampler.map:
        weights = _weights(arrays, numbered, numbers, sampler.map, manifest.chunk)
    return Facts(
        affine=affine_of(meta),
        boxes=arrays["boxes"][...] if has_boxes else np.zeros((0, 6)),
        boxes_voxel=boxes_voxel,
        points=arrays["rater_points"][...] if "rater_points" in arrays else np.zeros((0, 4)),
        point_labels=tuple(meta["rater_points"][1]),
        box_labels=np.array([task.labels[n].value for n in meta["box_labels"]], np.int64),
        numbered=numbered,
        targets=Targets(
            voxels=arrays["foreground"][...] if is_asked else np.zeros((0, 4), np.int32),
            boxes=boxes_voxel,
            box_numbers=np.array([numbers[n] for n in meta["box_labels"]], np.int64),
            numbers=numbers,
            weights=weights,
        ),
    )


def _weights(
    arrays: Mapping[str, LazyArray],
    numbered: Mapping[str, Mapping[str, str]],
    numbers: Mapping[str, int],
    name: str,
    chunk: tuple[int, ...],
) -> WeightMap | None:
    """The map of that name; None where the case has none."""
    kind, _, label = name.partition(":")
    array = arrays.get("mask" if kind == "mask" else numbered[kind].get(label, ""))
    if array is None:
        return None
    valid, number = arrays.get("valid"), numbers[label]

    def read(part: tuple[slice, ...]) -> NDArray[Any]:
        if kind != "mask":
            weights: NDArray[Any] = array[part]
        else:
            weights = array[part] == number if array.ndim == 3 else array[(number - 1, *part)] != 0
        return weights if valid is None else weights * np.asarray(valid[part])

    shape: Triple = array.shape[-3], array.shape[-2], array.shape[-1]
    return weight_map(read, shape, (chunk[0], chunk[1], chunk[2]))
