"""How near a resampled array is to a reference; it runs in the environments of the peers too.

Images are compared with a spline or a linear interpolation in float64 of scipy, in some planes and away from the border,
since each has its own rule there; label maps with what nnU-Net gave, where that was measured before.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

BORDER = 12
PLANES = (40, 97, 151)
KEPT = "nnunet-labels"


def judge(out: Any, folder: Path, name: str, way: str) -> list[int]:
    """Largest and root mean square difference in millionths; for labels, voxels that differ, and of those the unclear ones.

    A voxel is unclear if nnU-Net made it background: no label had one half of it.
    """
    np: Any = import_module("numpy")
    if hasattr(out, "GetPixelID"):
        out = import_module("SimpleITK").GetArrayViewFromImage(out)
    if name != "image":
        kept = folder / f"{name}.{KEPT}.npy"
        if way == KEPT:
            np.save(kept, np.asarray(out, np.uint8))
        if not kept.exists():
            return []
        other = np.load(kept)
        is_other = other != out
        return [int(is_other.sum()), int((is_other & (other == 0)).sum())]
    kind = way.rpartition("-")[2]
    reference = np.load(folder / f"reference-{kind}.npy")
    inside = slice(BORDER, -BORDER)
    difference = np.abs(np.asarray(out)[list(PLANES), inside, inside].astype(np.float64) - reference)
    return [int(1e6 * difference.max()), int(1e6 * np.sqrt((difference**2).mean()))]
