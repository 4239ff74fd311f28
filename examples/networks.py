"""Networks: a small U-Net, and a small classifier of pictures; for examples, not for the clinic."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class UNet(nn.Module):
    """A U-Net of three levels for (N, C, K, J, I); slices are thick, so only rows and columns are halved first.

    Args:
        channels: Channels in.
        outputs: Channels out.
        width: Features of the first level.
    """

    def __init__(self, channels: int, outputs: int, width: int = 8) -> None:
        super().__init__()
        self.first = _two(channels, width)
        self.second = _two(width, 2 * width)
        self.third = _two(2 * width, 4 * width)
        self.down_first = nn.MaxPool3d((1, 2, 2))
        self.down_second = nn.MaxPool3d(2)
        self.up_second = nn.ConvTranspose3d(4 * width, 2 * width, 2, 2)
        self.up_first = nn.ConvTranspose3d(2 * width, width, (1, 2, 2), (1, 2, 2))
        self.back_second = _two(4 * width, 2 * width)
        self.back_first = _two(2 * width, width)
        self.out = nn.Conv3d(width, outputs, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of the shape of the image."""
        first = self.first(image)
        second = self.second(self.down_first(first))
        third = self.third(self.down_second(second))
        second = self.back_second(torch.cat([second, self.up_second(third)], 1))
        first = self.back_first(torch.cat([first, self.up_first(second)], 1))
        out: Tensor = self.out(first)
        return out


class Classifier(nn.Module):
    """A network of four convolutions for pictures, that is for volumes (N, C, 1, J, I) of one slice.

    Args:
        channels: Channels in.
        labels: Labels out, each for itself.
        width: Features of the first convolution.
    """

    def __init__(self, channels: int, labels: int, width: int = 16) -> None:
        super().__init__()
        sizes = [channels, width, 2 * width, 4 * width, 4 * width]
        steps = [
            nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(4, b), nn.ReLU()) for a, b in pairwise(sizes)
        ]
        # A grid of 4 x 4 keeps where a thing is seen: a heart is large for its place.
        self.layers = nn.Sequential(
            *steps, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(64 * width, labels)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Logits (N, L)."""
        out: Tensor = self.layers(image[:, :, 0])
        return out


def _two(a: int, b: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv3d(a, b, 3, padding=1), nn.InstanceNorm3d(b, affine=True), nn.LeakyReLU(0.01),
        nn.Conv3d(b, b, 3, padding=1), nn.InstanceNorm3d(b, affine=True), nn.LeakyReLU(0.01),
    )  # fmt: skip
