"""Seven shapes in closed form, drawn slice by slice into a structure set as a planning system does it.

Places and sizes are those of the public suite RTMaskConformanceTest 0.1.0: a field of 512 x 512 x 200
millimetres. The outlines are polygons whose vertices lie on the true outline, anywhere between the voxel centres; what
a shape holds is for the test to say, by the formula of its volume.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isocenter.testing.simulate import dicom
from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.lattice import Lattice
from isocenter.testing.simulate.marking import Region
from isocenter.testing.simulate.rtstruct import write_rtstruct
from isocenter.testing.simulate.truth import TrueSite

FIELD_MM = (512, 512, 200)
VERTICES = 64
# Outlines with a smaller radius are not drawn.
LEAST_MM = 1.0
Radii = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Ideal:
    """A shape as its outlines.

    Args:
        name: What it is.
        centre: LPS millimetres.
        rings: Half axes in x and y of the outlines at a height above the centre: the outer, then the inner.
        is_square: Whether the outlines are rectangles; ellipses otherwise.
        is_xor: Whether they are written as CLOSEDPLANAR_XOR.
    """

    name: str
    centre: tuple[float, float, float]
    rings: Callable[[float], Sequence[Radii]]
    is_square: bool = False
    is_xor: bool = False


def _upright(half: float, *radii: float) -> Callable[[float], Sequence[Radii]]:
    return lambda z: [(r, r) for r in radii] if abs(z) <= half else []


def _round(*radii: float) -> Callable[[float], Sequence[Radii]]:
    return lambda z: [(math.sqrt(r * r - z * z),) * 2 for r in radii if abs(z) < r]


def _ellipsoid(x: float, y: float, half: float) -> Callable[[float], Sequence[Radii]]:
    def rings(z: float) -> Sequence[Radii]:
        share = math.sqrt(max(0.0, 1 - (z / half) ** 2))
        return [(x * share, y * share)] if share else []

    return rings


def _torus(major: float, minor: float) -> Callable[[float], Sequence[Radii]]:
    def rings(z: float) -> Sequence[Radii]:
        reach = math.sqrt(max(0.0, minor**2 - z * z))
        return [(major + reach,) * 2, (major - reach,) * 2] if reach else []

    return rings


IDEALS = (
    Ideal("sphere", (256, 256, 100), _round(40)),
    Ideal("cube", (100.5, 100.5, 100.5), _upright(30, 30), is_square=True),
    Ideal("cylinder", (400, 100, 100.5), _upright(40, 30)),
    Ideal("ellipsoid", (100, 400, 100), _ellipsoid(30, 50, 60)),
    Ideal("torus", (400, 400, 100), _torus(60, 20)),
    Ideal("hollow sphere", (256, 100, 100), _round(40, 20), is_xor=True),
    Ideal("straw", (256, 400, 100.5), _upright(60, 40, 20), is_xor=True),
)


def write_ideals(
    folder: Path, *, planes: range = range(FIELD_MM[2]), vertices: int = VERTICES
) -> tuple[Path, Path]:
    """Write a CT of a ramp in voxels of 1 mm, and two structure sets that draw the seven shapes on it.

    In the first, holes are inner contours; in the second, every hole is joined to its outline by a keyhole.

    Args:
        folder: Where to; the images get a folder of their own in it.
        planes: The slices of the field that there are.
        vertices: Of an outline that is no rectangle.

    Returns:
        The folder of the images, and that of the structure sets.
    """
    shape = (len(planes), FIELD_MM[1], FIELD_MM[0])
    lattice = Lattice(np.array((0.0, 0.0, planes.start)), np.eye(3), shape)
    archive = Archive(root=folder, seed=6, matrix=shape[1], slices=shape[0], has_identifiers=False)
    archive.sites.append(TrueSite(name="north", kind="dicom", folder=""))
    person = archive.person(archive.sites[0])
    images = dicom.new_series(archive, person, "CT", 1, "field")
    k, j, i = (np.arange(n, dtype=np.uint16) for n in shape)
    stored = k[:, None, None] * 5 + j[:, None] + i  # some content: an image of one value is refused
    shared = {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "RescaleSlope": "1", "RescaleIntercept": "-1024"}
    numbers = range(1, shape[0] + 1)
    made = dicom.slices(images, lattice, stored, numbers, shared=shared)
    for number, one in zip(numbers, made, strict=True):
        dicom.save(one, folder / "images" / f"{number:04d}.dcm")
    uids = [str(one.SOPInstanceUID) for one in made]
    drawn = dicom.new_series(archive, person, "RTSTRUCT", 2, "structures")
    for reader, name in enumerate(("inner", "keyhole")):
        regions = [(i.name, draw_ideal(i, lattice, vertices, is_keyhole=bool(reader))) for i in IDEALS]
        path = folder / "structures" / f"{name}.dcm"
        write_rtstruct(drawn, path, regions, uids, image_series_uid=images.series_uid, reader=reader)
    return folder / "images", folder / "structures"


def draw_ideal(ideal: Ideal, lattice: Lattice, vertices: int, *, is_keyhole: bool = False) -> Region:
    """Outlines of a shape on every slice that it reaches."""
    outlines: list[tuple[int, NDArray[np.float64]]] = []
    for k in range(lattice.shape[0]):
        height = float(lattice.position(k)[2])
        radii = [r for r in ideal.rings(height - ideal.centre[2]) if max(r) >= LEAST_MM]
        rings = [_ring(ideal, r, height, vertices) for r in radii]
        if is_keyhole and len(rings) == 2:
            rings = [_joined(*rings)]
        outlines += [(k, ring) for ring in rings]
    nothing = np.zeros((0, 0, 0), np.bool_)
    is_xor = ideal.is_xor and not is_keyhole
    return Region(ideal.name, (), nothing, tuple(outlines), has_core=is_xor)


def _ring(ideal: Ideal, radii: Radii, height: float, vertices: int) -> NDArray[np.float64]:
    if ideal.is_square:
        flat = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)
    else:
        turn = 2 * math.pi * np.arange(vertices) / vertices
        flat = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    flat = flat * np.array(radii) + np.array(ideal.centre[:2])
    return np.column_stack([flat, np.full(len(flat), height)])


def _joined(outer: NDArray[np.float64], inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """One polygon: around the outer outline, over the bridge, back around the inner one, and back."""
    return np.concatenate([outer, outer[:1], inner[:1], inner[:0:-1], inner[:1]])
