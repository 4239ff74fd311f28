"""The structure sets that are measured: seven shapes in closed form on 512 x 512 x 200 voxels, and their truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.testing.simulate.conformance import FIELD_MM, IDEALS, write_ideals

Inside = Callable[[Any, Any, Any], Any]
INSIDE: dict[str, Inside] = {
    "sphere": lambda x, y, z: x * x + y * y + z * z <= 40**2,
    "cube": lambda x, y, z: (abs(x) <= 30) & (abs(y) <= 30) & (abs(z) <= 30),
    "cylinder": lambda x, y, z: (x * x + y * y <= 30**2) & (abs(z) <= 40),
    "ellipsoid": lambda x, y, z: (x / 30) ** 2 + (y / 50) ** 2 + (z / 60) ** 2 <= 1,
    "torus": lambda x, y, z: (np.hypot(x, y) - 60) ** 2 + z * z <= 20**2,
    "hollow sphere": lambda x, y, z: abs(x * x + y * y + z * z - 1000) <= 600,
    "straw": lambda x, y, z: (abs(x * x + y * y - 1000) <= 600) & (abs(z) <= 60),
}


def make(folder: Path, planes: range) -> Path:
    """Write images and structure sets over some slices of the field, and which voxels are inside."""
    folder.mkdir(parents=True)
    write_ideals(folder, planes=planes)
    truth: dict[str, Any] = {}
    for ideal in IDEALS:
        x, y, z = (
            np.array(n, np.float64) - c
            for n, c in zip((range(FIELD_MM[0]), range(FIELD_MM[1]), planes), ideal.centre, strict=True)
        )
        inside = INSIDE[ideal.name](x, y[:, None], z[:, None, None])
        whole = np.broadcast_to(inside, (len(planes), FIELD_MM[1], FIELD_MM[0]))
        truth[ideal.name.replace(" ", "_")] = np.packbits(whole)
    np.savez(folder / "truth.npz", **truth)
    return folder
