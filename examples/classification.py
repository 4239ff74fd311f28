"""Classification: a small network tells effusions, nodules and large hearts in simulated radiographs.

python -m examples.classification
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

import isocenter as iso
from examples.networks import Classifier
from examples.simulated import arguments, packed
from examples.training import train

CONFIG = """\
name: radiographs
task: classification
unit: image
sources:
  - {path: archive/xray, site: clinic}
channels:
  xray: {modality: DX, normalise: zscore}
labels:
  nodule: {}
  effusion: {}
  cardiomegaly: {}
annotations:
  - kind: table
    path: archive/xray/labels.csv
    key: subject
    columns: {key: patient_id, nodule: nodule, effusion: effusion, cardiomegaly: cardiomegaly}
split: {fractions: {train: 0.7, test: 0.3}}
workspace: work
"""
PATCH = (1, 128, 112)


def main() -> None:
    """Simulate, pack, train, and look at the patients that the network has not seen."""
    given = arguments(__doc__, "radiographs", epochs=30)
    store = packed(CONFIG, given.work, "xray-labels", patients=600)
    network, _ = learn(store, epochs=given.epochs)
    for label, value in evaluate(network, store).items():
        print(f"test: area under the curve of {label}: {value:.2f}")


def learn(store: Path, *, epochs: int, workers: int = 1) -> tuple[Classifier, list[float]]:
    """A trained network, and the loss of each epoch."""
    torch.manual_seed(0)
    augment = {"rotation_deg": 5, "contrast": 0.1, "noise_sigma": 0.01}
    data = iso.dataset(store, "train", patch=PATCH, augment=augment)
    loader = DataLoader(
        data,
        batch_size=16,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=data.collate,
    )

    def batches(epoch: int) -> Iterable[Mapping[str, Any]]:
        data.set_epoch(epoch)
        return loader

    network = Classifier(1, len(data.samples.label_values))
    return network, train(network, batches, loss_of, epochs=epochs)


def loss_of(logits: Tensor, batch: Mapping[str, Any]) -> Tensor:
    """Cross-entropy of the labels that are known; unknown ones (-1) don't count."""
    labels = batch["labels"].float()
    known = (labels >= 0).float()
    loss = nn.functional.binary_cross_entropy_with_logits(logits, labels.clamp(0), known, reduction="sum")
    mean: Tensor = loss / known.sum().clamp(1)
    return mean


@torch.no_grad()
def evaluate(network: Classifier, store: Path) -> dict[str, float]:
    """Area under the ROC curve of each label in the test part."""
    network.eval()
    data = iso.dataset(store, "test", patch=PATCH)
    samples = [data[n] for n in range(len(data))]
    scores = torch.cat([network(s["image"][None]) for s in samples])
    states = torch.stack([s["labels"] for s in samples])
    return {
        label: _area(scores[:, n][states[:, n] == 1], scores[:, n][states[:, n] == 0])
        for n, label in enumerate(data.samples.label_values)
    }


def _area(positive: Tensor, negative: Tensor) -> float:
    """How often a positive case has the higher score (Mann-Whitney)."""
    higher = (positive[:, None] > negative).float() + 0.5 * (positive[:, None] == negative).float()
    return float(higher.mean())


if __name__ == "__main__":
    main()
