"""Training: the loop that all examples share, and their losses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

Batches = Callable[[int], Iterable[Mapping[str, Any]]]
Loss = Callable[[Tensor, Mapping[str, Any]], Tensor]


def train(
    network: nn.Module, batches: Batches, loss_of: Loss, *, epochs: int, rate: float = 2e-3
) -> list[float]:
    """Train a network; returns the mean loss of each epoch.

    Args:
        network: Takes `batch["image"]`.
        batches: Gives the batches of an epoch.
        loss_of: The loss of what the network says of a batch.
        epochs: How many.
        rate: Learning rate at its highest.
    """
    optimiser = torch.optim.AdamW(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs, rate / 20)
    network.train()
    means, start = [], time.monotonic()
    for epoch in range(epochs):
        losses = []
        for batch in batches(epoch):
            loss = loss_of(network(batch["image"]), batch)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(float(loss.detach()))
        schedule.step()
        means.append(sum(losses) / len(losses))
        print(
            f"epoch {epoch + 1:3} of {epochs}: loss {means[-1]:.3f} ({time.monotonic() - start:.0f} s)",
            flush=True,
        )
    return means


def overlap_loss(logits: Tensor, mask: Tensor, where: Tensor) -> Tensor:
    """Cross-entropy and soft Dice of one label, over the voxels of which it is known what is there.

    Args:
        logits: (N, 1, K, J, I).
        mask: 1 where the label is, same shape.
        where: True where the loss counts, same shape: `loss_mask` of a batch.
    """
    known, truth = where.float(), mask.float()
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, truth, known)
    share = torch.sigmoid(logits) * known
    both = (share * truth).sum()
    return entropy + 1 - (2 * both + 1) / (share.sum() + (truth * known).sum() + 1)


def dice(found: Tensor, truth: Tensor) -> float:
    """Dice of two masks; 1 where both are empty."""
    total = int(found.sum()) + int(truth.sum())
    return 2 * int((found & truth).sum()) / total if total else 1.0
