"""What a policy of augmentation does to patches of real cases, drawn as a loader would draw it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment.policy import Policy
from isocenter.imaging.affine import canonical
from isocenter.imaging.masks import flattened, preview_planes
from isocenter.loading.dataset import dataset
from isocenter.loading.sampler import LabelCentred, Triple
from isocenter.model.augmented import Augmented
from isocenter.model.grid import Grid
from isocenter.model.rows import PreviewRow
from isocenter.model.task import Window
from isocenter.stores.store import Store

# Percentiles of the patch as it is that become black and white, before and after alike.
_BLACK, _WHITE = 0.5, 99.5


def augmented(
    store: Store,
    policy: Policy,
    *,
    patch: Triple,
    cases: int,
    draws: int,
    split: str = "default",
    fold: int | None = None,
    seed: int = 0,
) -> tuple[Augmented, ...]:
    """Draw a policy on patches of some training cases, around a label where there is one.

    Args:
        store: The store.
        policy: What is done.
        patch: (k, j, i) in voxels.
        cases: How many cases, spread evenly.
        draws: How often for each.
        split: Name of the split.
        fold: Of a split into folds, the one that is left out.
        seed: Where chance starts.

    Raises:
        ConfigError: the policy does not fit the task, or there is no training case.
    """
    options: dict[str, Any] = {
        "split": split, "fold": fold, "patch": patch, "sampler": LabelCentred(share=1.0), "seed": seed,
        "framework": "numpy", "review": "include",
    }  # fmt: skip
    plain = dataset(store, "train", **options).samples
    changed = dataset(store, "train", augment=policy, **options).samples
    total = len(plain)
    out = []
    for index in dict.fromkeys(int(n) for n in np.linspace(0, total - 1, min(cases, total))):
        for number in range(draws):
            before, after = plain.sample(index, number), changed.sample(index, number)
            window = _window_of(before)
            out.append(
                Augmented(
                    case=before["case"],
                    number=number + 1,
                    parameters=after["augmentation"],
                    before=_planes(before, store, window),
                    after=_planes(after, store, window),
                    invented=_invented(before["valid"], after["valid"]),
                )
            )
    return tuple(out)


def _window_of(sample: Mapping[str, Any]) -> Window:
    values = sample["image"][0][sample["valid"]]
    low, high = np.percentile(values, (_BLACK, _WHITE)) if values.size else (0.0, 1.0)
    width = max(float(high - low), 1e-6)
    return Window(name="patch", centre=float(low + high) / 2, width=width, unit="")


def _invented(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> float:
    """The share of voxels that are no longer those of a patient."""
    return max(0.0, float(before.mean() - after.mean()))


def _planes(sample: Mapping[str, Any], store: Store, window: Window) -> tuple[PreviewRow, ...]:
    shape = sample["valid"].shape
    grid = Grid(shape, sample["affine"], "", is_oriented=True)
    values = [label.value for label in store.manifest.task.labels.values()]
    mask = flattened(sample["mask"], values) if "mask" in sample else None
    middle = [n // 2 for n in canonical(grid).grid.shape]
    planes = preview_planes(sample["image"][0], mask, grid, window=window, through=middle)
    return tuple(
        PreviewRow(
            case=sample["case"],
            channel="",
            plane=plane.name,
            rows=plane.pixels.shape[0],
            columns=plane.pixels.shape[1],
            pixel_mm=plane.pixel_mm,
            image=plane.pixels.tobytes(),
            mask=b"" if plane.mask is None else plane.mask.tobytes(),
        )
        for plane in planes
    )
