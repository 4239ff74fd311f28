"""Samples: the nth patch of an epoch, a function of (seed, epoch, index) and of nothing else."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment import transform
from isocenter.augment.patch import Patch
from isocenter.augment.policy import Policy
from isocenter.base import seeds
from isocenter.base.errors import IsocenterError, StaleArtefact, StoreError
from isocenter.loading import memory
from isocenter.loading import sampler as sampling
from isocenter.loading.aims import Aims
from isocenter.loading.facts import Facts, Recent, facts_of
from isocenter.loading.magnitude import no_signal
from isocenter.loading.normalise import Scaling
from isocenter.loading.order import Part, walk
from isocenter.loading.passes import Passes
from isocenter.loading.reading import Box, read, read_channels, read_valid
from isocenter.loading.sampler import Grid, PatchSize, Sampler, Triple
from isocenter.loading.selection import NOWHERE, Selection
from isocenter.loading.shared import Columns
from isocenter.loading.skips import Skip, Skips
from isocenter.model.task import Task
from isocenter.stores.lazy import LazyArray
from isocenter.stores.store import Store

FACTS_BYTES = 8 << 20
_WHOLE_EPOCH = Part()
# Samples that are tried in the place of one that cannot be read.
_ATTEMPTS = 100
# What bad data and bad disks raise; anything else is a bug, and never skipped.
_UNREADABLE = (StoreError, StaleArtefact, OSError)


@dataclass(eq=False, kw_only=True)
class Samples:
    """Samples of one partition.

    Args:
        store: Where they are read from.
        selection: The cases, as columns.
        channels: The stored channels that are read.
        scalings: How each channel of a sample is made of them.
        patch: (k, j, i) in voxels, None along an axis for all of it; None for whole volumes.
        per_case: Samples of each case per epoch; a grid decides that itself.
        sampler: Where a patch lies.
        policy: Augmentation; None for none.
        seed: Where chance starts.
        is_by_label: Whether the loss mask has a plane for each label.
        is_soft: Whether samples have the shares of raters.
        has_points: Whether samples have the points that raters set.
        least_box_share: Boxes of which a smaller share is in a patch are left out of it.
        skips: Where samples that cannot be read are noted when others take their places; None to raise instead.
        is_training: Whether they are trained with, so that each epoch should draw others.
        is_turned: Whether the data set that they are wrapped in has the axes i, j, k (`isocenter.loading.turned`).
    """

    store: Store
    selection: Selection
    channels: tuple[str, ...]
    scalings: tuple[Scaling, ...]
    patch: PatchSize | None
    per_case: int
    sampler: Sampler
    policy: Policy | None
    seed: int
    is_by_label: bool = False
    is_soft: bool = False
    has_points: bool = False
    least_box_share: float = 0.0
    skips: Skips | None = None
    is_training: bool = False
    is_turned: bool = False
    _passes: Passes = field(default_factory=Passes, repr=False)
    _recent: Recent = field(default_factory=lambda: Recent(FACTS_BYTES), repr=False)
    _checked: bytearray = field(default_factory=bytearray, repr=False)

    @functools.cached_property
    def label_values(self) -> dict[str, int]:
        """Value of each label, in the order of the values: also that of `labels` in a sample."""
        labels = self.store.manifest.task.labels
        return dict(sorted(((n, label.value) for n, label in labels.items()), key=lambda p: p[1]))

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels of a sample."""
        return tuple(s.name for s in self.scalings)

    def __len__(self) -> int:
        return len(self.selection.ids) * self.per_case if self._ends is None else int(self._ends["ends"][-1])

    def indices(
        self, epoch: int = 0, part: Part = _WHOLE_EPOCH, *, is_shuffled: bool = True
    ) -> Iterator[int]:
        """The samples of an epoch in their order, or of the part of it that one of several processes sees."""
        return self.walk(part.places(len(self)), epoch, is_shuffled=is_shuffled)

    def walk(self, places: range, epoch: int, *, is_shuffled: bool) -> Iterator[int]:
        """The samples at some places of an epoch."""
        return walk(places, len(self), self.seed, epoch, is_shuffled=is_shuffled)

    def begin(self, epoch: int, part: Part, *, is_shuffled: bool) -> None:
        """Warn where a part of an epoch that was seen to its end is begun again, and training draws by chance."""
        is_drawn = self.patch is not None and not isinstance(self.sampler, Grid)
        if self.is_training and (is_drawn or self.policy is not None):
            self._passes.begin(epoch, (part, is_shuffled))

    def end(self, epoch: int, part: Part, *, is_shuffled: bool) -> None:
        """Note that a part of an epoch was seen to its end."""
        self._passes.end(epoch, (part, is_shuffled))

    def sample(self, index: int, epoch: int = 0) -> dict[str, Any]:
        """One sample.

        Returns:
            `image` float32 (C, K, J, I); `mask` (segmentation); `valid` bool; `loss_mask` bool, (K, J, I) or
            (L, K, J, I): False in padding, and where it is not known which labels are there; `soft` float32
            (L, K, J, I), where asked for; `instances`, where the task tells them apart, and `box_numbers`, the number
            of the one that each box is of; `affine` of the patch; `labels` int8: 1, 0, or -1 for unknown; `present` bool (C,), False for a channel that the case
            lacks; `boxes`, `boxes_voxel` (cut off at the patch), `box_labels` and `box_shares` (how much of
            each box is in the patch); `points` and what belongs to them, where asked for; `case`, `subject`, `start` and `padding` in voxels; `sampler` and
            `augmentation`, as drawn.

            With `skips`, also `instead_of`: the index of a sample that could not be read, whose place this one has
            taken, or -1.

        Raises:
            IndexError: there is no such sample.
            RuntimeError: it cannot be made, or too many cases cannot be read; the message names the case.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index = asked = index % len(self)
        for attempt in range(_ATTEMPTS):
            try:
                made = self._make(self.case_at(index), index, epoch)
            except Exception as error:  # noqa: BLE001 - what is no bad data is raised again
                self._skip(index, epoch, error)
                index = int(seeds.stream(self.seed, "instead", epoch, asked, attempt).integers(len(self)))
            else:
                if self.skips is not None:
                    made["instead_of"] = -1 if index == asked else asked
                return made
        raise RuntimeError(f"sample {asked}: {_ATTEMPTS} samples in its place cannot be read either")

    def _skip(self, index: int, epoch: int, error: Exception) -> None:
        """Note a sample that cannot be made; raise where it may not be skipped.

        A plain error, as one that cannot be sent between processes hangs a loader; its text only where it is ours, as
        others may hold paths.
        """
        case = self.selection.ids[self.case_at(index)]
        text = str(error) if isinstance(error, IsocenterError) else type(error).__name__
        if self.skips is None or not isinstance(error, _UNREADABLE):
            raise RuntimeError(f"case {case}: {text}") from error
        if not self.skips.add(Skip(epoch=epoch, index=index, case=case, reason=text)):
            most = f"more than {self.skips.most} cases cannot be read"
            raise RuntimeError(f"{most}; the last one was case {case}: {text}") from error

    @property
    def skipped(self) -> tuple[Skip, ...]:
        """Samples that could not be read and whose places others took, in all processes so far."""
        return () if self.skips is None else self.skips.all()

    def case_at(self, index: int) -> int:
        """The number of the case that a sample is of."""
        if self._ends is None:
            return index // self.per_case
        return int(np.searchsorted(self._ends["ends"], index, side="right"))

    @property
    def is_one_size(self) -> bool:
        """Whether all samples have one size."""
        return self.patch is not None and None not in self.patch

    def size_in(self, shape: Triple) -> Triple:
        """Size of the patches of a volume."""
        k, j, i = self.patch or (None, None, None)
        return k or shape[0], j or shape[1], i or shape[2]

    def shape_of(self, case: int) -> Triple:
        """Shape of a case's volume."""
        k, j, i = (int(n) for n in self.selection.shapes[case])
        return k, j, i

    @functools.cached_property
    def _ends(self) -> Columns | None:
        """With a grid, how many patches there are up to each case; else each case has the same number."""
        if not isinstance(self.sampler, Grid) or self.patch is None:
            return None
        shapes = self.selection.shapes
        sizes = np.where([p is None for p in self.patch], shapes, [p or 0 for p in self.patch])
        counts = sampling.counts_on_grid(shapes, sizes, self.sampler.overlap)
        return Columns({"ends": np.cumsum(counts.prod(axis=1))})

    def _make(self, case: int, index: int, epoch: int) -> dict[str, Any]:
        shape = self.shape_of(case)
        box, drawn_by = self._place(case, index, epoch, shape)
        facts = self._facts(case)
        drawn: dict[str, dict[str, Any]] = {}
        margin: Triple = (0, 0, 0)
        plan = None
        if self.policy is not None:
            drawn = transform.draw(self.policy, seeds.stream(self.seed, "augment", epoch, index))
            plan = transform.plan(drawn, box.size, facts.affine)
            if self.patch is not None:  # around a whole volume there is nothing to bring in
                margin = plan.reach
        patch = self._read(case, facts, box.grown(margin), shape)
        if plan is not None:
            patch = plan.apply(patch, margin)
        return {
            **_arrays_of(
                patch,
                has_loss=self.store.manifest.task.task is not Task.CLASSIFICATION,
                least_share=self.least_box_share,
            ),
            **(_points_of(patch, facts, {} if plan is None else plan.motion.swap) if self.has_points else {}),
            "present": self._present(case),
            "case": self.selection.ids[case],
            "subject": self.selection.subjects[case],
            "start": np.array(box.start, np.int64),
            "padding": box.padding(shape),
            "sampler": drawn_by,
            "augmentation": drawn,
        }

    def _place(self, case: int, index: int, epoch: int, shape: Triple) -> tuple[Box, str]:
        if self.patch is None:
            return Box(start=(0, 0, 0), size=shape), "whole"
        size = self.size_in(shape)
        if isinstance(self.sampler, Grid):
            before = int(self._ends["ends"][case - 1]) if self._ends is not None and case else 0
            counts = sampling.counts_on_grid(np.array([shape]), size, self.sampler.overlap)[0]
            start = sampling.place_on_grid(index - before, counts, shape, size, self.sampler.overlap)
            return Box(start=start, size=size), "grid"
        generator = seeds.stream(self.seed, "patch", epoch, index)
        start, how = sampling.draw(self.sampler, generator, shape, size, lambda: self._facts(case).targets)
        return Box(start=start, size=size), how

    def _arrays(self, case: int) -> dict[str, LazyArray]:
        """Arrays of a case; of a store that checks what is read, when a case is read first, all of it is compared."""
        arrays = self.store.arrays(self.selection.ids[case], shard=int(self.selection.shards[case]))
        if self.store.checks_reads:
            if not self._checked:
                self._checked = bytearray(len(self.selection.ids) // 8 + 1)
            place, bit = case // 8, 1 << case % 8
            if not self._checked[place] & bit:
                for name in arrays:
                    if not name.startswith("rater"):  # no sample has what each rater drew
                        np.asarray(arrays[name])
                self._checked[place] |= bit
        return arrays

    def _read(self, case: int, facts: Facts, box: Box, shape: Triple) -> Patch:
        arrays = self._arrays(case)
        background = [self.store.manifest.background[c] for c in self.channels]
        raw = read_channels(arrays["image"], self.selection.places[case], background, box, shape)
        scales = [self.selection.scale(case, s.channel) for s in self.scalings]
        image = memory.empty((len(self.scalings), *box.size), np.float32, "image")
        for c, (scaling, scale) in enumerate(zip(self.scalings, scales, strict=True)):
            scaling.into(raw[scaling.channel], scale, image[c])
        mask = self._mask(arrays, box, shape)
        affine = facts.affine.copy()
        affine[:3, 3] += affine[:3, :3] @ np.array(box.start[::-1], np.float64)
        aims = Aims(arrays, facts.numbered, self.label_values, box, shape)
        return Patch(
            image=image,
            valid=read_valid(arrays, box, shape),
            affine=affine,
            mask=mask,
            known=self._known_in(case, aims, mask, has_mask="mask" in arrays),
            soft=aims.soft(mask) if self.is_soft and mask is not None else None,
            instances=read(arrays["instances"], (), 0, box, shape) if "instances" in arrays else None,
            boxes=facts.boxes,
            boxes_voxel=facts.boxes_voxel - np.array(box.start * 2, np.int32),
            box_labels=facts.box_labels,
            points=facts.points[:, :3],
            labels=self.selection.states[case],
            label_values=self.label_values,
            background=tuple(
                s.value(background[s.channel], scale) for s, scale in zip(self.scalings, scales, strict=True)
            ),
            centre=tuple(s.centre() for s in self.scalings),
            span=tuple(s.span(scale) for s, scale in zip(self.scalings, scales, strict=True)),
            no_signal=no_signal(self.scalings, scales, self._modalities),
            present=tuple(self._present(case).tolist()),
        )

    def _mask(self, arrays: dict[str, LazyArray], box: Box, shape: Triple) -> NDArray[Any] | None:
        """The mask in a box, for a segmentation; of a case that has labels and no mask, nothing is marked."""
        task = self.store.manifest.task
        if task.task is not Task.SEGMENTATION:
            return None
        if "mask" in arrays:
            return read(arrays["mask"], (slice(None),) * (arrays["mask"].ndim - 3), 0, box, shape, "mask")
        planes = (len(self.label_values),) if task.overlapping else ()
        return np.zeros(
            (*planes, *box.size), np.uint8 if max(self.label_values.values()) < 256 else np.uint16
        )

    @functools.cached_property
    def _modalities(self) -> list[str]:
        channels = self.store.manifest.task.channels
        return [channels[name].modality for name in self.channels]

    def _known_in(
        self, case: int, aims: Aims, mask: NDArray[Any] | None, *, has_mask: bool
    ) -> NDArray[np.bool_] | None:
        task = self.store.manifest.task
        if task.task is Task.CLASSIFICATION:
            return None
        extents = self.selection.extents[case]
        if task.task is Task.SEGMENTATION and not has_mask:  # it is somewhere, and nobody drew where
            extents = np.where(self.selection.states[case] == 1, np.int8(NOWHERE), extents)
        return aims.known(extents, mask, is_by_label=self.is_by_label or task.overlapping)

    def _facts(self, case: int) -> Facts:
        """Facts of a case, those of the cases seen last kept."""

        def make() -> Facts:
            meta = self.store.meta(self.selection.ids[case], shard=int(self.selection.shards[case]))
            return facts_of(meta, self._arrays(case), self.store.manifest, self.sampler)

        return self._recent.get(case, make)

    def _present(self, case: int) -> NDArray[np.bool_]:
        return np.array([self.selection.places[case, s.channel] >= 0 for s in self.scalings], np.bool_)

    def __getstate__(self) -> dict[str, Any]:
        # a copy, in another process or for another thread, has facts of its own, and places to note what it has seen
        return {
            **self.__dict__,
            "_checked": bytearray(),
            "_recent": copy.copy(self._recent),
            "_passes": Passes(),
        }


def _arrays_of(patch: Patch, *, has_loss: bool, least_share: float) -> dict[str, Any]:
    """The arrays of a sample; boxes of which too little is in the patch are left out, those that miss it always."""
    size = np.array(patch.shape, np.int32)
    low, high = np.clip(patch.boxes_voxel[:, :3], 0, size), np.clip(patch.boxes_voxel[:, 3:], 0, size)
    whole = np.maximum(patch.boxes_voxel[:, 3:] - patch.boxes_voxel[:, :3], 1).prod(axis=1)
    shares = (high - low).prod(axis=1) / whole
    is_in = (shares > 0) & (shares >= least_share)
    return {
        "image": patch.image,
        **({} if patch.mask is None else {"mask": patch.mask}),
        "valid": patch.valid,
        **({"loss_mask": _loss_mask(patch)} if has_loss else {}),
        **({} if patch.soft is None else {"soft": patch.soft}),
        **(
            {}
            if patch.instances is None
            else {"instances": patch.instances, "box_numbers": np.flatnonzero(is_in) + 1}
        ),
        "affine": patch.affine,
        "labels": patch.labels.copy(),
        "boxes": patch.boxes[is_in],
        "boxes_voxel": np.concatenate([low, high], axis=1)[is_in].astype(np.int32),
        "box_labels": patch.box_labels[is_in],
        "box_shares": shares[is_in].astype(np.float32),
    }


def _points_of(patch: Patch, facts: Facts, swap: Mapping[str, str]) -> dict[str, Any]:
    """The points in a patch; those outside its voxels are left out, as are no others."""
    inverse = np.linalg.inv(patch.affine)
    voxel = (patch.points @ inverse[:3, :3].T + inverse[:3, 3])[:, ::-1]
    is_in = ((voxel >= -0.5) & (voxel < np.array(patch.shape) - 0.5)).all(axis=1)
    values = [patch.label_values.get(swap.get(name, name), 0) for name in facts.point_labels]
    return {
        "points": patch.points[is_in],
        "points_voxel": voxel[is_in],
        "point_labels": np.array(values, np.int64)[is_in],
        "point_diameters_mm": facts.points[is_in, 3],
    }


def _loss_mask(patch: Patch) -> NDArray[np.bool_]:
    """What may count in a loss: real voxels of which it is known what is there."""
    known = patch.valid if patch.known is None else patch.known
    out: NDArray[np.bool_] = memory.empty(known.shape, np.bool_, "loss_mask")
    np.logical_and(known, patch.valid, out=out)
    return out
