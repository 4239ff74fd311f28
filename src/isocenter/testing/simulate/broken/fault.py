"""What a fault of a series is, and how what was read is compared with what is true."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.testing.simulate.broken.scan import Planted, Scan, TrueVolume


class Outcome(enum.StrEnum):
    """What a right program makes of a broken series."""

    REBUILT = "rebuilt"
    """Its true volumes and no others, and what was done is told."""
    REVIEWED = "reviewed"
    """A person is asked: a volume with a finding of REVIEW, or none."""
    REFUSED = "refused"
    """No volume at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way in which a series is broken.

    Args:
        name: Its name.
        does: One sentence for people.
        rules: The findings of which at least one must be told; none where there is nothing to tell.
        outcome: What a right program makes of it.
        make: Makes the files and the truth from a sound scan.
        modalities: What it can happen to.
        source: Where it was reported, or "own".
    """

    name: str
    does: str
    rules: tuple[str, ...]
    outcome: Outcome
    make: Callable[[Scan], Planted]
    modalities: tuple[str, ...] = ("CT",)
    source: str = "own"

    def write(self, folder: Path, scan: Scan | None = None) -> Planted:
        """Make the series of a scan and write its files into a folder."""
        planted = self.make(scan or Scan(modality=self.modalities[0]))
        for name, data in planted.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return planted


def differences(
    truth: TrueVolume,
    array: NDArray[Any],
    affine: NDArray[np.float64],
    valid: NDArray[np.bool_] | None = None,
) -> tuple[int, float]:
    """How many voxels of a read volume are wrong, and the greatest distance of one from its place in mm.

    The axes of what was read may run in another order or direction: each voxel is looked for where it is.

    Args:
        truth: What is true.
        array: (K, J, I) as read.
        affine: (4, 4) from (i, j, k, 1) to RAS+ mm, as read.
        valid: (K, J, I), False where what was read is padding.
    """
    step = np.linalg.solve(affine, truth.affine)
    turn, start = np.rint(step[:3, :3]), np.rint(step[:3, 3])
    if not np.array_equal(np.abs(np.linalg.det(turn)), 1.0) or array.size != truth.array.size:
        return truth.array.size, float("inf")
    places = np.indices(truth.array.shape[::-1]).reshape(3, -1)
    found = (turn @ places + start[:, None]).astype(int)
    if (found < 0).any() or (found >= np.array(array.shape[::-1])[:, None]).any():
        return truth.array.size, float("inf")
    ends = np.array(
        [[n * (m - 1) for n, m in zip(c, truth.array.shape[::-1], strict=True)] for c in np.ndindex(2, 2, 2)]
    )
    meant = ends @ truth.affine[:3, :3].T + truth.affine[:3, 3]
    lies = (ends @ turn.T + start) @ affine[:3, :3].T + affine[:3, 3]
    true, read = truth.array[tuple(places[::-1])], array[tuple(found[::-1])]
    padding = np.zeros(true.shape, bool) if truth.padding is None else truth.padding[tuple(places[::-1])]
    masked = np.zeros(true.shape, bool) if valid is None else ~valid[tuple(found[::-1])]
    wrong = (padding != masked) | (~padding & ~np.isclose(true, read, rtol=1e-6, atol=0))
    return int(wrong.sum()), float(np.linalg.norm(meant - lies, axis=1).max())
