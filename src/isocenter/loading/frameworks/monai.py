"""Samples as MONAI dictionaries: volumes are MetaTensors (C, I, J, K) that know where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monai.data import MetaTensor
from monai.data.utils import collate_meta_tensor
from torch import Tensor
from torch.utils.data import Dataset

from isocenter.loading.epochs import Epochs
from isocenter.loading.frameworks.torch import TorchDataset
from isocenter.loading.samples import Samples
from isocenter.loading.turned import VOLUMES, turned

AXES = "ijk"
"""The order of its axes, which is not that of the store."""


class MonaiDataset(Epochs, Dataset[dict[str, Any]]):
    """A map-style data set of dictionaries, as MONAI's dictionary transforms take them.

    Give it to `monai.data.Dataset(train, transform)` or to `DataLoader(train, collate_fn=train.collate)`, either with
    `sampler=train.order()`. Volumes are views (C, I, J, K) of the stored order, with the affine of the patch in RAS+;
    `filename_or_obj` is the case, so that what `SaveImage` writes is named after it. What counts voxels
    (`boxes_voxel`, `start`, `padding`) is in the order i, j, k as well.

    Args:
        samples: What is drawn from.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self._tensors = TorchDataset(samples)

    @property
    def epoch(self) -> int:
        """The epoch that samples are drawn for."""
        return self._tensors.epoch

    def set_epoch(self, epoch: int) -> None:
        """Draw later samples for another epoch, in running workers too."""
        self._tensors.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._tensors)

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = turned(self._tensors[index])
        for name in VOLUMES & sample.keys():
            sample[name] = _placed(sample[name], sample["affine"], sample["case"])
        return sample

    def collate(self, batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Stack what has one shape in all samples, MetaTensors so that `decollate_batch` takes them apart again."""
        alike = [
            name
            for name in batch[0]
            if isinstance(batch[0][name], MetaTensor) and len({s[name].shape for s in batch}) == 1
        ]
        rest = self._tensors.collate([{n: v for n, v in s.items() if n not in alike} for s in batch])
        return {name: collate_meta_tensor([s[name] for s in batch]) for name in alike} | rest


def wrap(samples: Samples) -> MonaiDataset:
    """A data set of MONAI dictionaries."""
    return MonaiDataset(samples)


def _placed(volume: Tensor, affine: Tensor, case: str) -> Any:
    meta = {"filename_or_obj": case, "space": "RAS", "original_affine": affine.clone()}
    return MetaTensor(volume, affine=affine.clone(), meta=meta)
