"""Segmentation with MONAI: its U-Net, its loss, its sliding window and its Dice, on samples of the packed store.

python -m examples.segmentation_monai --data FOLDER/OF/DICOM
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from monai.data import Dataset
from monai.inferers import sliding_window_inference
from monai.losses import DiceCELoss
from monai.metrics import compute_dice
from monai.networks.nets import UNet
from monai.transforms import AsDiscreted, Compose, SelectItemsd
from torch import Tensor, nn
from torch.utils.data import DataLoader

import isocenter as iso
from examples.sarcoma import arguments, packed
from examples.segmentation import AUGMENT, PATCH
from examples.training import train

# MONAI counts i, j, k: the other way round.
WINDOW = PATCH[::-1]
KEYS = ("image", "mask", "loss_mask")


def main() -> None:
    """Pack, train, and look at the patients that the network has not seen."""
    given = arguments(__doc__)
    store = packed(given.data, given.work)
    network, _ = learn(store, epochs=given.epochs)
    for case, value in evaluate(network, store).items():
        print(f"validation case {case}: Dice {value:.2f}")


def learn(
    store: Path, *, epochs: int, patch: tuple[int, int, int] = PATCH, per_case: int = 6, workers: int = 1
) -> tuple[nn.Module, list[float]]:
    """A trained network, and the loss of each epoch."""
    torch.manual_seed(0)
    data = iso.dataset(
        store,
        "train",
        patch=patch,
        per_case=per_case,
        sampler="label",
        augment=AUGMENT,
        framework="monai",
    )
    transform = Compose([SelectItemsd(KEYS), AsDiscreted("mask", threshold=1)])
    loader = DataLoader(
        Dataset(data, transform),
        batch_size=2,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=data.collate,
    )

    def batches(epoch: int) -> Iterable[Mapping[str, Any]]:
        data.set_epoch(epoch)
        return loader

    network = UNet(
        3, len(data.samples.channel_names), 1, (8, 16, 32), ((2, 2, 1), (2, 2, 2)), num_res_units=1
    )
    return network, train(network, batches, loss_of, epochs=epochs)


def loss_of(logits: Tensor, batch: Mapping[str, Any]) -> Tensor:
    """MONAI's Dice and cross-entropy; where nobody knows what is there, nothing is expected and nothing lost."""
    known = batch["loss_mask"]
    truth = (batch["mask"] * known).float()
    loss: Tensor = DiceCELoss(sigmoid=True)(logits.masked_fill(~known, -30.0), truth)
    return loss


@torch.no_grad()
def evaluate(network: nn.Module, store: Path, partition: str = "val") -> dict[str, float]:
    """Dice of each whole case by a window that slides over it."""
    network.eval()
    out = {}
    for sample in iso.dataset(store, partition, framework="monai"):
        logits = sliding_window_inference(sample["image"][None], WINDOW, 2, network, overlap=0.25)
        known = sample["loss_mask"][None]
        found, truth = (logits > 0) & known, (sample["mask"][None] > 0) & known
        out[sample["case"]] = float(compute_dice(found, truth))
    return out


if __name__ == "__main__":
    main()
