"""Detection: a small 3D network finds nodules in simulated chest CT, and says how large they are.

    python -m examples.detection

Every voxel tells how likely it is the middle of a nodule, and how far the six sides of its box are (as in CenterNet,
Zhou et al. 2019, arXiv:1904.07850).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

import isocenter as iso
from examples.networks import UNet
from examples.simulated import arguments, packed
from examples.training import train

CONFIG = """\
name: nodules
task: detection
sources:
  - {path: archive/nodules, site: clinic}
channels:
  ct: {modality: CT, windows: [lung]}
labels:
  nodule: {}
annotations:
  - kind: table
    path: archive/nodules/nodules.csv
    shape: centres
    key: series
    columns: {key: seriesuid, x: coordX, y: coordY, z: coordZ, diameter_mm: diameter_mm}
    absent: negative
split: {fractions: {train: 0.7, test: 0.3}}
workspace: work
"""
PATCH = (16, 32, 32)
# Six sides in voxels are of the order of 1 when divided by this.
SCALE = 4.0


def main() -> None:
    """Simulate, pack, train, and look at the patients that the network has not seen."""
    given = arguments(__doc__, "nodules", epochs=30)
    store = packed(CONFIG, given.work, "ct-boxes", patients=300)
    network, _ = learn(store, epochs=given.epochs)
    hit, nodules, false, cases = evaluate(network, store)
    print(f"test: {hit} of {nodules} nodules found, {false} false marks in {cases} cases")


def learn(store: Path, *, epochs: int, per_case: int = 2, workers: int = 1) -> tuple[UNet, list[float]]:
    """A trained network, and the loss of each epoch."""
    torch.manual_seed(0)
    data = iso.dataset(store, "train", patch=PATCH, per_case=per_case, sampler="label")
    loader = DataLoader(
        data,
        batch_size=4,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=data.collate,
    )

    def batches(epoch: int) -> Iterable[Mapping[str, Any]]:
        data.set_epoch(epoch)
        return loader

    network = UNet(1, 7)
    nn.init.constant_(network.out.get_parameter("bias")[:1], -4.0)  # middles of nodules are rare
    return network, train(network, batches, loss_of, epochs=epochs)


def loss_of(out: Tensor, batch: Mapping[str, Any]) -> Tensor:
    """Focal loss of the map of middles, and the error of the sides of each box at its middle."""
    heat, sides = out[:, 0], out[:, 1:]
    target = torch.stack([middles(boxes, heat.shape[1:]) for boxes in batch["boxes_voxel"]])
    share = torch.sigmoid(heat).clamp(1e-4, 1 - 1e-4)
    at, off = target == 1, target < 1
    gain = -(at * (1 - share) ** 2 * share.log()).sum()
    pain = -(off * (1 - target) ** 4 * share**2 * (1 - share).log() * batch["loss_mask"]).sum()
    errors = [
        (sides[n, :, *middle] - sides_of(box, middle)).abs().mean()
        for n, boxes in enumerate(batch["boxes_voxel"])
        for box, middle in zip(boxes, middle_of(boxes).tolist(), strict=True)
    ]
    count = max(1, len(errors))
    loss: Tensor = (gain + pain + sum(errors)) / count
    return loss


def middle_of(boxes: Tensor) -> Tensor:
    """The voxel (N, 3) in the middle of each box."""
    return (boxes[:, :3] + boxes[:, 3:] - 1) // 2


def sides_of(box: Tensor, middle: list[int]) -> Tensor:
    """Distances (6,) from a voxel to the lower and the upper sides of a box."""
    place = torch.tensor(middle)
    return torch.cat([place - box[:3], box[3:] - place]) / SCALE


def middles(boxes: Tensor, shape: Iterable[int]) -> Tensor:
    """A map that is 1 in the middle of each box and falls off within it."""
    size = tuple(shape)
    out = torch.zeros(size)
    voxels = torch.stack(torch.meshgrid(*(torch.arange(n) for n in size), indexing="ij"), -1)
    for box, middle in zip(boxes, middle_of(boxes), strict=True):
        width = ((box[3:] - box[:3]) / 4).clamp(0.5)
        out = torch.maximum(out, torch.exp(-(((voxels - middle) / width) ** 2).sum(-1) / 2))
    return out


@torch.no_grad()
def evaluate(network: UNet, store: Path) -> tuple[int, int, int, int]:
    """Nodules found, nodules, marks that are on none, and cases, of the test part.

    A nodule is found if a mark lies in its box.
    """
    network.eval()
    hit = nodules = false = cases = 0
    for sample in iso.dataset(store, "test"):
        share = torch.sigmoid(network(sample["image"][None])[0, 0])
        peaks = nn.functional.max_pool3d(share[None], 5, 1, 2)[0]
        marks = torch.nonzero((share == peaks) & (share > 0.3))
        boxes = sample["boxes_voxel"]
        is_in = (marks[:, None] >= boxes[None, :, :3]).all(-1) & (marks[:, None] < boxes[None, :, 3:]).all(-1)
        hit += int(is_in.any(0).sum())
        nodules += len(boxes)
        false += int((~is_in.any(1)).sum())
        cases += 1
    return hit, nodules, false, cases


if __name__ == "__main__":
    main()
