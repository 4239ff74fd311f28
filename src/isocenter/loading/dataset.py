"""A data set for training: patches of one partition of a store, for a framework."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from isocenter.augment.policy import NORMAL, Policy, policy_of
from isocenter.base.errors import ConfigError, StoreError
from isocenter.base.plugins import did_you_mean
from isocenter.imaging import landmarks
from isocenter.loading.facts import has_aims
from isocenter.loading.fitted import fitted_of
from isocenter.loading.framework import FRAMEWORKS
from isocenter.loading.normalise import Scaling, needs_fitting, scalings_of
from isocenter.loading.open import open as open_store
from isocenter.loading.sampler import Grid, LabelCentred, PatchSize, Sampler, Weighted, sampler_of
from isocenter.loading.samples import Samples
from isocenter.loading.selection import Selection, select
from isocenter.loading.skips import Skips
from isocenter.model.split import Partition
from isocenter.model.task import Task
from isocenter.stores.store import Store

# Values of which nothing says what they are.
_NO_UNITS = {"stored", "arbitrary"}
_PLANES: dict[str, PatchSize] = {
    "axial": (1, None, None),
    "coronal": (None, 1, None),
    "sagittal": (None, None, 1),
}


def dataset(
    store: Store | str | os.PathLike[str],
    partition: str,
    *,
    split: str = "default",
    fold: int | None = None,
    patch: int | str | Sequence[int | None] | None = None,
    per_case: int = 1,
    sampler: str | Sampler = "uniform",
    channels: Sequence[str] | None = None,
    normalise: str | Mapping[str, str] | None = None,
    augment: Policy | Mapping[str, Any] | None = None,
    review: str = "exclude",
    seed: int = 0,
    loss_mask: str = "voxel",
    soft: bool = False,
    points: bool = False,
    least_box_share: float = 0.0,
    errors: str = "raise",
    most_skipped: int = 10,
    framework: str = "torch",
) -> Any:
    """Make a data set of patches, each a function of (seed, epoch, index) alone.

    Args:
        store: A store, or the folder of one.
        partition: "train", "val" or "test".
        split: Name of the split in the store.
        fold: For a split into folds: the fold that is "val".
        patch: (k, j, i) in voxels, None along an axis for all of it, or one number for all three; "axial", "coronal"
            or "sagittal" for whole slices; None for whole volumes. What is larger than a volume is padded on both sides
            with background, and not valid there.
        per_case: Patches of each case per epoch.
        sampler: "uniform", "label" (a third of the patches around a labelled voxel), "lesion" (a third in a box, each
            alike), "grid" (covers every volume; every slice once), or one of `isocenter.loading.sampler` with its own
            options, such as `Weighted`.
        channels: Stored channels to read, in this order; None for all.
        normalise: None for what the cohort says of each channel or else fits it, or "none", "zscore",
            "percentile[:<low>-<high>]", "nyul", "cohort", "voi" or "window:<name>[,<name>]", for all or per
            channel (see `isocenter.loading.normalise`).
        augment: Augmentation, for "train" only, or for the training folds.
        review: "exclude" or "include" the cases that wait for a person's decision.
        seed: Where chance starts.
        loss_mask: "voxel": one plane, True where it is known of every label whether it is there; "label": one plane for
            each label. Labels that may overlap have one each in any case.
        soft: Whether samples have `soft`: how sure the raters are of each label, where they were asked in shares.
        points: Whether samples have the points that raters set: `points` (mm), `points_voxel` (k, j, i in voxels of the
            patch, with fractions), `point_labels` and `point_diameters_mm`; those outside the patch are left out.
        least_box_share: Boxes of which a smaller share is in a patch are left out of it, as those are that miss it.
        errors: "raise", or "skip": another sample, drawn by lot, takes the place of one that cannot be read, says so in
            `instead_of`, and `skipped` of the data set lists it with the reason. For training only.
        most_skipped: Of how many cases samples may be skipped; one more raises.
        framework: "torch", "numpy" or another of `isocenter.loading.frameworks`.

    Raises:
        ConfigError: something asked for does not exist or does not go together.
        StaleArtefact: what was fitted over the training part was fitted on other cases than are in it now.
        MissingExtra: the framework is not installed.
    """
    frame = FRAMEWORKS.get(framework)
    opened = store if isinstance(store, Store) else open_store(store)
    names = _channels(opened, channels)
    chosen, size = _sampler(opened, sampler), _patch(opened, patch)
    _check_words(opened, loss_mask, per_case, chosen, size, is_soft=soft)
    scalings = _scalings(opened, names, normalise, split, fold)
    selection = _selection(opened, str(partition), split, fold, review, scalings, names)
    policy = _policy(opened, augment, str(partition), selection, scalings)
    return frame.wrap(
        Samples(
            store=opened,
            selection=selection,
            channels=names,
            scalings=scalings,
            patch=size,
            per_case=per_case,
            sampler=_aimed(opened, chosen, size, selection),
            policy=policy,
            seed=seed,
            is_by_label=loss_mask == "label",
            is_soft=soft,
            has_points=points,
            least_box_share=_share(least_box_share),
            skips=_skips(errors, most_skipped, str(partition), chosen),
            is_training=str(partition) == Partition.TRAIN,
            is_turned=getattr(frame, "AXES", "kji") == "ijk",
        )
    )


def _selection(
    store: Store,
    partition: str,
    split: str,
    fold: int | None,
    review: str,
    scalings: Sequence[Scaling],
    names: tuple[str, ...],
) -> Selection:
    """The cases, with what the scalings need of each."""
    selection = select(
        store,
        partition,
        split=split,
        fold=fold,
        channels=names,
        review=review,
        percents={names[s.channel]: s.percents for s in scalings},
        voi={names[s.channel] for s in scalings if s.kind == "voi"},
    )
    _check_scales(selection, scalings)
    return selection


def _check_words(
    store: Store, loss_mask: str, per_case: int, sampler: Sampler, size: PatchSize | None, *, is_soft: bool
) -> None:
    is_decided = isinstance(sampler, Grid) or size is None
    if per_case < 1 or (per_case > 1 and is_decided):
        raise ConfigError("per_case is at least 1, and 1 where a grid or a whole volume decides what is read")
    if loss_mask not in {"voxel", "label"}:
        raise ConfigError(f"loss_mask is voxel or label, not {loss_mask!r}")
    if is_soft and store.manifest.task.task is not Task.SEGMENTATION:
        raise ConfigError("soft: only a segmentation has shares of raters")


def _channels(store: Store, channels: Sequence[str] | None) -> tuple[str, ...]:
    known = list(store.manifest.task.channels)
    wanted = known if channels is None else list(channels)
    if unknown := [c for c in wanted if c not in known]:
        raise ConfigError(f"channels: no channel {unknown[0]!r}{did_you_mean(unknown[0], known)}")
    if not wanted or len(set(wanted)) < len(wanted):
        raise ConfigError("channels: at least one, each once")
    return tuple(wanted)


def _sampler(store: Store, value: str | Sampler) -> Sampler:
    sampler = sampler_of(value)
    if isinstance(sampler, Weighted):
        labels = store.manifest.task.labels
        for name in sampler.names:
            if name not in labels:
                raise ConfigError(f"sampler: no label {name!r}{did_you_mean(name, list(labels))}")
        if sampler.map and store.manifest.task.task is not Task.SEGMENTATION:
            raise ConfigError("sampler: only a segmentation has maps")
    return sampler


def _aimed(store: Store, sampler: Sampler, size: PatchSize | None, selection: Selection) -> Sampler:
    """The sampler, refused where no case has what it draws from: it would be another one for the whole data set."""
    if not isinstance(sampler, LabelCentred | Weighted):
        return sampler
    if size is None:
        raise ConfigError(
            "sampler: a whole volume has no place to be drawn; give a patch, or leave the sampler out"
        )
    places = range(len(selection.ids))
    if not any(_is_aimed(store, sampler, selection.ids[n], int(selection.shards[n])) for n in places):
        raise ConfigError(
            f"sampler: none of {len(places)} cases has {_aim(sampler)}; 'uniform' asks for nothing"
        )
    return sampler


def _is_aimed(store: Store, sampler: Sampler, case: str, shard: int) -> bool:
    try:
        return has_aims(
            store.meta(case, shard=shard), store.arrays(case, shard=shard), store.manifest, sampler
        )
    except (StoreError, OSError):  # what cannot be read is told, or skipped, when a sample is made of it
        return True


def _aim(sampler: LabelCentred | Weighted) -> str:
    if isinstance(sampler, Weighted):
        return f"the map {sampler.map!r}" if sampler.map else f"any of {', '.join(sampler.names)} marked"
    return "a box" if sampler.by == "lesion" else "a labelled voxel or a box"


def _skips(errors: str, most_skipped: int, partition: str, sampler: Sampler) -> Skips | None:
    if errors not in {"raise", "skip"}:
        raise ConfigError(f"errors is raise or skip, not {errors!r}")
    if errors == "skip" and (partition != Partition.TRAIN or isinstance(sampler, Grid)):
        raise ConfigError(
            "errors='skip' is for training: in what is evaluated or put together, nobody would see what is missing"
        )
    if most_skipped < 1:
        raise ConfigError("most_skipped is at least 1; errors='raise' skips none")
    return Skips(most_skipped) if errors == "skip" else None


def _share(least_box_share: float) -> float:
    if not 0 <= least_box_share <= 1:
        raise ConfigError(f"least_box_share lies between 0 and 1, not {least_box_share:g}")
    return least_box_share


def _patch(store: Store, patch: int | str | Sequence[int | None] | None) -> PatchSize | None:
    if patch is None:
        return None
    if isinstance(patch, str):
        return _plane(store, patch)
    given = list(patch) if isinstance(patch, Iterable) else [patch] * 3
    if any(isinstance(n, bool | np.bool_) or not isinstance(n, Integral | None) for n in given):
        raise ConfigError(f"patch: whole numbers of voxels, not {patch!r}")
    sizes = [None if n is None else int(n) for n in given]
    if len(sizes) != 3 or min((n for n in sizes if n is not None), default=1) < 1:
        raise ConfigError("patch: three sizes (k, j, i) of at least 1, or one for all three")
    return None if sizes == [None] * 3 else (sizes[0], sizes[1], sizes[2])


def _plane(store: Store, name: str) -> PatchSize:
    if name not in _PLANES:
        raise ConfigError(f"patch: no slices are called {name!r}{did_you_mean(name, sorted(_PLANES))}")
    if store.manifest.orientation != "canonical":
        raise ConfigError(
            f"patch: in a store of native orientation each case has its own {name} axis; name the array axis instead, such"
            " as (1, None, None) for slices as they were stored"
        )
    return _PLANES[name]


def _scalings(
    store: Store,
    names: Sequence[str],
    normalise: str | Mapping[str, str] | None,
    split: str,
    fold: int | None,
) -> tuple[Scaling, ...]:
    is_fitted = needs_fitting(store.manifest, names, normalise)
    fitted = fitted_of(store, split, fold).channels if is_fitted else None
    return scalings_of(store.manifest, names, normalise, fitted)


def _check_scales(selection: Selection, scalings: Sequence[Scaling]) -> None:
    _check_landmarks(selection, scalings)
    _check_foreground(selection, scalings)
    _check_units(selection, scalings)


def _check_landmarks(selection: Selection, scalings: Sequence[Scaling]) -> None:
    """Refuse images without a range of values where that is what is to be standardised."""
    for scaling in (s for s in scalings if s.kind == "nyul"):
        is_there = selection.places[:, scaling.channel] >= 0
        marks = selection.marks[:, scaling.channel]
        flat = [
            selection.ids[int(n)]
            for n in np.flatnonzero(is_there)
            if not landmarks.is_usable(marks[n].tolist())
        ]
        if flat:
            raise ConfigError(
                f"normalise: nyul cannot be had for channel {scaling.name!r}: the foreground of {len(flat)} cases is"
                f" of one value, or of none ({', '.join(flat[:3])})"
            )


def _check_foreground(selection: Selection, scalings: Sequence[Scaling]) -> None:
    """Refuse images of which nothing is foreground where mean and spread of that are what scales them."""
    for scaling in (s for s in scalings if s.kind == "zscore"):
        without = selection.ids[~selection.has_scale[:, scaling.channel]].tolist()
        if without:
            raise ConfigError(
                f"normalise: zscore cannot be had for channel {scaling.name!r}: nothing is foreground in"
                f" {len(without)} cases ({', '.join(without[:3])})"
            )


def _check_units(selection: Selection, scalings: Sequence[Scaling]) -> None:
    """Refuse stored values of several units in one channel: a network would take the one for the other."""
    for scaling in (s for s in scalings if s.kind == "none"):
        units = {"no unit" if u in _NO_UNITS else u for u in selection.units(scaling.channel)}
        if len(units) > 1:
            raise ConfigError(
                f"normalise: channel {scaling.name!r} is in {' and '.join(sorted(units))}, which have no scale in"
                " common; each case needs its own, such as zscore or percentile"
            )


def _policy(
    store: Store,
    augment: Policy | Mapping[str, Any] | None,
    partition: str,
    selection: Selection,
    scalings: Sequence[Scaling],
) -> Policy | None:
    """The augmentation, refused where it would be untrue: outside training, on raw values, out of a plane."""
    if augment is None:
        return None
    policy = policy_of(augment)
    if partition != Partition.TRAIN:
        raise ConfigError(f"augment: only the training part is augmented, not {partition!r}")
    policy.check_labels(store.manifest.task.labels)
    if (policy.contrast or policy.noise_sigma) and any(s.kind == "none" for s in scalings):
        raise ConfigError(
            "augment: contrast and noise are limited to normalised channels, not normalise='none'"
        )
    if policy.elastic_mm and not policy.elastic_in_plane and (selection.shapes[:, 0] == 1).any():
        raise ConfigError("augment: a case with one slice is bent within its plane only: elastic_in_plane")
    if policy.rotation_deg and set(policy.rotation_axes) != {NORMAL} and (selection.shapes[:, 0] == 1).any():
        raise ConfigError("augment: a case with one slice is turned about its normal only: rotation_axes")
    return policy
