"""What readers draw: lesions and the heart on a lattice, and a second reader who disagrees by design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isocenter.testing.simulate.archive import READERS
from isocenter.testing.simulate.lattice import Lattice, rearranged
from isocenter.testing.simulate.phantom import Anatomy
from isocenter.testing.simulate.solids import Solid, draw
from isocenter.testing.simulate.truth import Mark, digest

# A second reader draws until the agreement is just above, or just below, these.
AGREES, DISAGREES = 0.88, 0.62


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One label as one reader drew it.

    Args:
        label: Of the vocabulary.
        solids: What was drawn, cores that were left out last.
        mask: (K, J, I) bool: voxel centres inside by the even-odd rule.
        outlines: Slice index and vertices (N, 3) in LPS millimetres, in the order they were drawn.
        has_core: Whether outlines lie inside others.
    """

    label: str
    solids: tuple[Solid, ...]
    mask: NDArray[np.bool_]
    outlines: tuple[tuple[int, NDArray[np.float64]], ...]
    has_core: bool = False

    @property
    def volume_ml(self) -> float:
        """Analytic volume."""
        volumes = [s.volume_ml for s in self.solids]
        return sum(volumes) - 2 * volumes[-1] if self.has_core else sum(volumes)

    @property
    def centre_mm(self) -> tuple[float, ...]:
        """Centre of the first solid in RAS+."""
        x, y, z = self.solids[0].centre
        return (-x, -y, z)


def region(label: str, solids: list[Solid], lattice: Lattice, *, core: Solid | None = None) -> Region:
    """Draw solids that do not touch each other, and perhaps a core inside the first."""
    every = [*solids, *([core] if core else [])]
    drawings = [draw(solid, lattice) for solid in every]
    mask = np.zeros(lattice.shape, dtype=np.bool_)
    for drawing in drawings:
        mask ^= drawing.mask
    outlines = tuple((k, vertices) for d in drawings for k, vertices in sorted(d.outlines.items()))
    return Region(label, tuple(every), mask, outlines, core is not None)


def first_reader(anatomy: Anatomy, lattice: Lattice) -> tuple[Region, ...]:
    """The lesions as one region, and the heart where the scan holds all of it."""
    out = []
    if lesions := anatomy.solids("lesion"):
        cores = anatomy.solids("necrosis")
        out.append(region("lesion", lesions, lattice, core=cores[0] if cores else None))
    heart = anatomy.solids("heart")[0]
    if _is_within(heart, lattice):
        out.append(region("heart", [heart], lattice))
    return tuple(out)


def second_reader(
    first: tuple[Region, ...], lattice: Lattice, *, agrees: bool, has_heart: bool
) -> tuple[Region, ...]:
    """The lesions again, moved until the Dice is what was asked for, and perhaps a slightly smaller heart.

    Whoever paints a label map has looked for all its labels; who sends outlines may have been asked for one.
    """
    lesion = _moved_lesion(first, lattice, agrees=agrees)
    hearts = [r for r in first if r.label == "heart"] if has_heart else []
    return (lesion, *(region("heart", [heart.solids[0].scaled(0.95)], lattice) for heart in hearts))


def _moved_lesion(first: tuple[Region, ...], lattice: Lattice, *, agrees: bool) -> Region:
    """The first reader's lesions, moved along the body's y axis."""
    lesion = next(r for r in first if r.label == "lesion")
    core = lesion.solids[-1] if lesion.has_core else None
    solids = list(lesion.solids[:-1] if core else lesion.solids)
    last = lesion
    for step in range(1, 200):
        offset = (0.0, step * solids[0].radii[1] * 0.0131, 0.0)
        moved = core.moved(offset) if core else None
        now = region("lesion", [s.moved(offset) for s in solids], lattice, core=moved)
        overlap = dice(lesion.mask, now.mask)
        if agrees and overlap < AGREES:
            return last
        if overlap < DISAGREES:
            return now
        last = now
    raise AssertionError("a lesion that is moved by twice its radius no longer overlaps itself")


def agreement(readers: Sequence[tuple[Region, ...]]) -> dict[str, float]:
    """Dice of the first two readers for every label that both drew; nothing with one reader."""
    if len(readers) < 2:
        return {}
    first, second = ({r.label: r.mask for r in regions} for regions in readers[:2])
    return {label: dice(first[label], second[label]) for label in sorted(first.keys() & second.keys())}


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Twice the common voxels over the sum of both."""
    both = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return 2 * int(np.count_nonzero(first & second)) / both if both else 1.0


def marks(
    regions: tuple[Region, ...], lattice: Lattice, *, reader: int, path: str, names: dict[str, str]
) -> tuple[Mark, ...]:
    """The truth of one reader's regions; every label of `names` that was not drawn is one not found."""
    order, flips = lattice.to_canonical()
    drawn = {r.label: r for r in regions}
    out = []
    for label, name in names.items():
        absent = Mark(reader=READERS[reader], label=label, name=name, path=path)
        if label not in drawn:
            out.append(absent)
            continue
        one = drawn[label]
        mask = rearranged(one.mask.astype(np.uint8), order, flips)
        out.append(
            replace(
                absent,
                voxels=int(np.count_nonzero(mask)),
                volume_ml=round(one.volume_ml, 6),
                centre_mm=tuple(round(v, 4) for v in one.centre_mm),
                digest=digest(mask),
            )
        )
    return tuple(out)


def label_map(regions: tuple[Region, ...], lattice: Lattice) -> NDArray[np.uint8]:
    """Regions as one array (K, J, I) of mask values, see `MASK_VALUES`."""
    out = np.zeros(lattice.shape, dtype=np.uint8)
    for one in regions:
        out[one.mask] = MASK_VALUES[one.label]
    return out


MASK_VALUES = {"lesion": 1, "heart": 2}


def _is_within(solid: Solid, lattice: Lattice) -> bool:
    """Whether a solid lies inside the lattice with a voxel to spare on each side."""
    box = solid.window(lattice, margin=1.15)
    if box is None:
        return False
    return all(part.start > 0 and part.stop < extent for part, extent in zip(box, lattice.shape, strict=True))
