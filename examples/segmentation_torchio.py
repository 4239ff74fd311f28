"""Segmentation with TorchIO: its queue, its label sampler, its transforms and its aggregator, on whole stored volumes.

python -m examples.segmentation_torchio --data FOLDER/OF/DICOM
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torchio
from torch import Tensor

import isocenter as iso
from examples.networks import UNet
from examples.sarcoma import arguments, packed
from examples.segmentation import PATCH
from examples.training import dice, overlap_loss, train

# TorchIO counts i, j, k: the other way round.
WINDOW = PATCH[::-1]
# Within what `augment` of Isocenter allows: nothing is scaled or cut, and noise is small. A leg has a twin.
TRANSFORM = torchio.Compose([torchio.RandomFlip(axes=("LR",)), torchio.RandomNoise(std=(0, 0.01))])


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
    data = iso.dataset(store, "train", framework="torchio")
    data.set_transform(TRANSFORM)
    labels = list(data.samples.label_values.values())
    sampler = torchio.LabelSampler(patch[::-1], "mask", {0: 1, **dict.fromkeys(labels, 1)})

    def batches(epoch: int) -> Iterable[Mapping[str, Any]]:
        data.set_epoch(epoch)
        queue = torchio.Queue(data, 4 * per_case, per_case, sampler, num_workers=workers)
        return _flat(torchio.SubjectsLoader(queue, batch_size=2, num_workers=0))

    network = UNet(len(data.samples.channel_names), 1)
    return network, train(network, batches, loss_of, epochs=epochs)


def _flat(batches: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Tensor]]:
    """The voxels of each batch by the name of the image."""
    for batch in batches:
        yield {name: batch[name][torchio.DATA] for name in ("image", "mask", "loss_mask")}


def loss_of(logits: Tensor, batch: Mapping[str, Any]) -> Tensor:
    """Loss over what is real image and annotated."""
    return overlap_loss(logits, batch["mask"] > 0, batch["loss_mask"])


@torch.no_grad()
def evaluate(network: UNet, store: Path, partition: str = "val") -> dict[str, float]:
    """Dice of each whole case, of patches that TorchIO puts together again."""
    network.eval()
    out = {}
    for subject in iso.dataset(store, partition, framework="torchio"):
        grid = torchio.GridSampler(subject, WINDOW, (16, 16, 4))
        aggregator = torchio.GridAggregator(grid, overlap_mode="hann")
        for batch in torchio.SubjectsLoader(grid, batch_size=2):
            logits = network(batch["image"][torchio.DATA])
            aggregator.add_batch(logits, batch[torchio.LOCATION])
        known = subject.loss_mask.data > 0
        found = (aggregator.get_output_tensor() > 0) & known
        out[subject["case"]] = dice(found, (subject.mask.data > 0) & known)
    return out


if __name__ == "__main__":
    main()
