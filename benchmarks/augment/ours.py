"""Our own way, in a process of its own.

Usage: python -m benchmarks.augment.ours isocenter KIND FOLDER PASSES
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.augment.judged import judge
from benchmarks.augment.problem import CONTROLS, FACTOR, PATCH, SIGMA, SPACING_MM, rotation, warmed
from benchmarks.read.timing import serve
from isocenter.augment.field import Field
from isocenter.augment.motion import Motion
from isocenter.augment.patch import Patch
from isocenter.augment.plan import Plan
from isocenter.augment.tone import Tone

SHAPE = (PATCH, PATCH, PATCH)


def main() -> None:
    """Measure one kind."""
    _, kind, folder, passes = sys.argv[1:]
    run = make(kind, Path(folder))
    serve(run, warmed(run), int(passes), lambda out: judge(out, Path(folder), kind))


def make(kind: str, folder: Path) -> Callable[[], Any]:
    """What is done once: everything from the drawn parameters to new arrays, the checks of the limits included."""
    image, mask = np.load(folder / "image.npy"), np.load(folder / "mask.npy")
    if kind == "limit":
        return lambda: (image.copy(), mask.copy())
    patch = Patch(
        image=image[None], valid=np.ones(SHAPE, np.bool_), affine=np.diag([SPACING_MM] * 3 + [1.0]), mask=mask,
        boxes=np.zeros((0, 6)), boxes_voxel=np.zeros((0, 6), np.int32), box_labels=np.zeros(0, np.int64),
        labels=np.ones(2, np.int8), label_values={"soft": 1, "bone": 2}, background=(0.0,), centre=(0.5,), span=(1.0,),
    )  # fmt: skip
    controls, keys, steps = np.load(folder / "controls.npy"), itertools.count(), np.eye(3) * SPACING_MM
    cell_mm = (PATCH - 1) * SPACING_MM / (CONTROLS - 3)

    def run() -> Any:
        turn = np.array(rotation()).T if kind in {"rotation", "chain", "all"} else np.eye(3)
        if kind in {"mirror", "chain", "all"}:
            turn = turn @ np.diag([-1.0, 1.0, 1.0])
        bend = Field(lattice=controls * SPACING_MM, cell_mm=cell_mm, shape=SHAPE, steps=steps)
        motion = Motion(turn=turn, bend=bend if kind in {"elastic", "all"} else None)
        tone = Tone(
            factor=FACTOR if kind in {"contrast", "chain", "all"} else 1.0,
            sigma=SIGMA if kind in {"noise", "chain", "all"} else 0.0,
            key=next(keys),
        )
        out = Plan(motion=motion, tone=tone, shape=SHAPE, steps=steps).apply(patch)
        return out.image[0], out.mask

    return run


if __name__ == "__main__":
    main()
