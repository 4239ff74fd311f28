"""Segmentation: a small 3D U-Net finds soft-tissue sarcomas in CT and PET of twelve patients.

python -m examples.segmentation --data FOLDER/OF/DICOM
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

import isocenter as iso
from examples.networks import UNet
from examples.sarcoma import arguments, packed
from examples.training import dice, overlap_loss, train

PATCH = (16, 64, 64)
AUGMENT = {"rotation_deg": 8, "rotation_axes": ["S"], "contrast": 0.1, "noise_sigma": 0.01}


def main() -> None:
    """Pack, train, and look at the patients that the network has not seen."""
    given = arguments(__doc__)
    store = packed(given.data, given.work)
    network, _ = learn(store, epochs=given.epochs)
    for case, value in evaluate(network, store).items():
        print(f"validation case {case}: Dice {value:.2f}")


def learn(
    store: Path, *, epochs: int, patch: tuple[int, int, int] = PATCH, per_case: int = 6, workers: int = 1
) -> tuple[UNet, list[float]]:
    """A trained network, and the loss of each epoch."""
    torch.manual_seed(0)
    data = iso.dataset(
        store, "train", patch=patch, per_case=per_case, sampler="label", augment=AUGMENT, seed=0
    )
    loader = DataLoader(
        data,
        batch_size=2,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=data.collate,
    )

    def batches(epoch: int) -> Iterable[Mapping[str, Any]]:
        data.set_epoch(epoch)  # other patches each time, the same ones on any machine
        return loader

    network = UNet(len(data.samples.channel_names), 1)
    return network, train(network, batches, loss_of, epochs=epochs)


def loss_of(logits: Tensor, batch: Mapping[str, Any]) -> Tensor:
    """Loss over what is real image and annotated."""
    return overlap_loss(logits, batch["mask"][:, None] > 0, batch["loss_mask"][:, None])


@torch.no_grad()
def evaluate(network: UNet, store: Path, partition: str = "val") -> dict[str, float]:
    """Dice of each whole case, of patches that cover it without overlap."""
    network.eval()
    data = iso.dataset(store, partition, patch=PATCH, sampler="grid")
    found: dict[str, list[Tensor]] = {}
    truth: dict[str, list[Tensor]] = {}
    for n in range(len(data)):
        sample = data[n]
        where = sample["loss_mask"]
        found.setdefault(sample["case"], []).append((network(sample["image"][None])[0, 0] > 0)[where])
        truth.setdefault(sample["case"], []).append((sample["mask"] > 0)[where])
    return {case: dice(torch.cat(found[case]), torch.cat(truth[case])) for case in found}


if __name__ == "__main__":
    main()
