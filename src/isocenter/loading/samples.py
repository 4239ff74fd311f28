"""Samples: the nth patch of an epoch, a function of (seed, epoch, index) and of nothing else."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment import transform
from isocenter.augment.patch import Patch
from isocenter.augment.policy import Policy
from isocenter.base import seeds
from isocenter.base.errors import IsocenterError
from isocenter.loading import sampler as sampling
from isocenter.loading.aims import Aims
from isocenter.loading.magnitude import no_signal
from isocenter.loading.normalise import Scaling
from isocenter.loading.reading import Box, read, read_channels, read_valid
from isocenter.loading.sampler import Grid, Sampler, Targets, Triple
from isocenter.loading.selection import Selection
from isocenter.model.task import Task
from isocenter.stores.layout import affine_of
from isocenter.stores.store import Store

_KNOWN_CASES = 512


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Facts:
    """What a sample needs of a case besides its voxels; `numbered` are names of arrays by what they are and label."""

    affine: NDArray[np.float64]
    boxes: NDArray[np.float64]
    boxes_voxel: NDArray[np.int32]
    box_labels: NDArray[np.int64]
    numbered: Mapping[str, Mapping[str, str]]


@dataclass(eq=False, kw_only=True)
class Samples:
    """Samples of one partition.

    Args:
        store: Where they are read from.
        selection: The cases, as columns.
        channels: The stored channels that are read.
        scalings: How each channel of a sample is made of them.
        patch: (k, j, i) in voxels; None for whole volumes.
        per_case: Samples of each case per epoch; a grid decides that itself.
        sampler: Where a patch lies.
        policy: Augmentation; None for none.
        seed: Where chance starts.
        is_by_label: Whether the loss mask has a plane for each label.
        is_soft: Whether samples have the shares of raters.
    """

    store: Store
    selection: Selection
    channels: tuple[str, ...]
    scalings: tuple[Scaling, ...]
    patch: Triple | None
    per_case: int
    sampler: Sampler
    policy: Policy | None
    seed: int
    is_by_label: bool = False
    is_soft: bool = False
    _known: OrderedDict[int, _Facts] = field(default_factory=OrderedDict, repr=False)

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
        return int(self._ends[-1])

    def sample(self, index: int, epoch: int = 0) -> dict[str, Any]:
        """One sample.

        Returns:
            `image` float32 (C, K, J, I); `mask` (segmentation); `valid` bool; `loss_mask` bool, (K, J, I) or
            (L, K, J, I): False in padding, and where it is not known which labels are there; `soft` float32
            (L, K, J, I), where asked for; `instances`, where the task tells them apart, and `box_numbers`, the number
            of the one that each box is of; `affine` of the patch; `labels` int8: 1, 0, or -1 for unknown; `present` bool (C,), False for a channel that the case
            lacks; `boxes`, `boxes_voxel` (cut off at the patch), `box_labels` and `box_shares` (how much of
            each box is in the patch); `case`, `subject`, `start` and `padding` in voxels; `sampler` and
            `augmentation`, as drawn.

        Raises:
            IndexError: there is no such sample.
            RuntimeError: it cannot be made; the message names the case.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index %= len(self)
        case = int(np.searchsorted(self._ends, index, side="right"))
        try:
            return self._make(case, index, epoch)
        except Exception as error:
            # A plain error, as one that cannot be sent between processes hangs a loader; its text only
            # where it is ours, as others may hold paths.
            text = str(error) if isinstance(error, IsocenterError) else type(error).__name__
            raise RuntimeError(f"case {self.selection.ids[case]}: {text}") from error

    @functools.cached_property
    def _counts(self) -> NDArray[np.int64]:
        """Patches (N, 3) along each axis of each case: all of them with a grid, else one."""
        if isinstance(self.sampler, Grid) and self.patch is not None:
            return sampling.counts_on_grid(self.selection.shapes, self.patch, self.sampler.overlap)
        return np.ones_like(self.selection.shapes)

    @functools.cached_property
    def _ends(self) -> NDArray[np.int64]:
        return np.cumsum(self._counts.prod(axis=1) * self.per_case)

    def _make(self, case: int, index: int, epoch: int) -> dict[str, Any]:
        shape: Triple = tuple(int(n) for n in self.selection.shapes[case])  # type: ignore[assignment]
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
            **_arrays_of(patch, has_loss=self.store.manifest.task.task is not Task.CLASSIFICATION),
            "present": self._present(case),
            "case": str(self.selection.ids[case]),
            "subject": str(self.selection.subjects[case]),
            "start": np.array(box.start, np.int64),
            "padding": box.padding(shape),
            "sampler": drawn_by,
            "augmentation": drawn,
        }

    def _place(self, case: int, index: int, epoch: int, shape: Triple) -> tuple[Box, str]:
        if self.patch is None:
            return Box(start=(0, 0, 0), size=shape), "whole"
        if isinstance(self.sampler, Grid):
            number = index - (int(self._ends[case - 1]) if case else 0)
            start = sampling.place_on_grid(
                number, self._counts[case], shape, self.patch, self.sampler.overlap
            )
            return Box(start=start, size=self.patch), "grid"
        generator = seeds.stream(self.seed, "patch", epoch, index)
        start, how = sampling.draw(self.sampler, generator, shape, self.patch, lambda: self._targets(case))
        return Box(start=start, size=self.patch), how

    def _targets(self, case: int) -> Targets:
        arrays = self.store.arrays(str(self.selection.ids[case]))
        voxels = arrays["foreground"][...] if "foreground" in arrays else np.zeros((0, 4), np.int32)
        return Targets(voxels=voxels, boxes=self._facts(case).boxes_voxel)

    def _read(self, case: int, facts: _Facts, box: Box, shape: Triple) -> Patch:
        arrays = self.store.arrays(str(self.selection.ids[case]))
        background = [self.store.manifest.background[c] for c in self.channels]
        raw = read_channels(arrays["image"], self.selection.places[case], background, box, shape)
        scales = [self.selection.scale(case, s.channel) for s in self.scalings]
        image = np.empty((len(self.scalings), *box.size), np.float32)
        for c, (scaling, scale) in enumerate(zip(self.scalings, scales, strict=True)):
            image[c] = scaling.apply(raw[scaling.channel], scale)
        mask = None
        if self.store.manifest.task.task is Task.SEGMENTATION:
            mask = read(arrays["mask"], (slice(None),) * (arrays["mask"].ndim - 3), 0, box, shape)
        affine = facts.affine.copy()
        affine[:3, 3] += affine[:3, :3] @ np.array(box.start[::-1], np.float64)
        aims = Aims(arrays, facts.numbered, self.label_values, box, shape)
        return Patch(
            image=image,
            valid=read_valid(arrays, box, shape),
            affine=affine,
            mask=mask,
            known=self._known_in(case, aims, mask),
            soft=aims.soft(mask) if self.is_soft and mask is not None else None,
            instances=read(arrays["instances"], (), 0, box, shape) if "instances" in arrays else None,
            boxes=facts.boxes,
            boxes_voxel=facts.boxes_voxel - np.array(box.start * 2, np.int32),
            box_labels=facts.box_labels,
            labels=self.selection.states[case],
            label_values=self.label_values,
            background=tuple(
                s.value(background[s.channel], scale) for s, scale in zip(self.scalings, scales, strict=True)
            ),
            centre=tuple(s.centre() for s in self.scalings),
            span=tuple(s.span(scale) for s, scale in zip(self.scalings, scales, strict=True)),
            no_signal=no_signal(self.scalings, scales, self._modalities),
        )

    @functools.cached_property
    def _modalities(self) -> list[str]:
        channels = self.store.manifest.task.channels
        return [channels[name].modality for name in self.channels]

    def _known_in(self, case: int, aims: Aims, mask: NDArray[Any] | None) -> NDArray[np.bool_] | None:
        task = self.store.manifest.task
        if task.task is Task.CLASSIFICATION:
            return None
        return aims.known(
            self.selection.extents[case], mask, is_by_label=self.is_by_label or task.overlapping
        )

    def _facts(self, case: int) -> _Facts:
        """Facts of a case, those of the last few hundred cases kept."""
        if case not in self._known:
            case_id = str(self.selection.ids[case])
            meta, arrays = self.store.meta(case_id), self.store.arrays(case_id)
            has_boxes = "boxes" in arrays
            self._known[case] = _Facts(
                affine=affine_of(meta),
                boxes=arrays["boxes"][...] if has_boxes else np.zeros((0, 6)),
                boxes_voxel=arrays["boxes_voxel"][...] if has_boxes else np.zeros((0, 6), np.int32),
                box_labels=np.array([self.label_values[n] for n in meta["box_labels"]], np.int64),
                numbered={
                    "known": {n: f"known-{i:03}" for i, n in enumerate(meta["known"])},
                    "share": {n: f"share-{i:03}" for i, n in enumerate(meta["shares"])},
                },
            )
            if len(self._known) > _KNOWN_CASES:
                self._known.popitem(last=False)
        self._known.move_to_end(case)
        return self._known[case]

    def _present(self, case: int) -> NDArray[np.bool_]:
        return np.array([self.selection.places[case, s.channel] >= 0 for s in self.scalings], np.bool_)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_known": OrderedDict()}


def _arrays_of(patch: Patch, *, has_loss: bool) -> dict[str, Any]:
    """The arrays of a sample; boxes that miss the patch are left out."""
    size = np.array(patch.shape, np.int32)
    low, high = np.clip(patch.boxes_voxel[:, :3], 0, size), np.clip(patch.boxes_voxel[:, 3:], 0, size)
    whole = np.maximum(patch.boxes_voxel[:, 3:] - patch.boxes_voxel[:, :3], 1).prod(axis=1)
    shares = (high - low).prod(axis=1) / whole
    is_in = shares > 0
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


def _loss_mask(patch: Patch) -> NDArray[np.bool_]:
    """What may count in a loss: real voxels of which it is known what is there."""
    return patch.valid.copy() if patch.known is None else patch.known & patch.valid
