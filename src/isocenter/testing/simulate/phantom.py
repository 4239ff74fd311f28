"""The simulated patient: a chest made of ellipsoids, seen by CT, MR, PET and X-ray.

Tissues are painted in order, later ones over earlier ones. Values are chosen to look right in the usual
windows; they are not measured from anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from isocenter.testing.simulate.lattice import Lattice
from isocenter.testing.simulate.solids import Solid, tuple3

_ENDLESS = 1e6

# Puts a solid at x, y, z from the middle of the chest, with three half axes.
_Placing = Callable[..., Solid]

# Tissue: Hounsfield units, T1- and T2-weighted signal, standardised uptake value.
_TISSUES: dict[str, dict[str, float]] = {
    "air": {"hu": -1000, "t1": 0, "t2": 0, "suv": 0.0},
    "couch": {"hu": -420, "t1": 0, "t2": 0, "suv": 0.0},
    "fat": {"hu": -95, "t1": 880, "t2": 620, "suv": 0.3},
    "muscle": {"hu": 55, "t1": 380, "t2": 210, "suv": 0.7},
    "lung": {"hu": -830, "t1": 40, "t2": 60, "suv": 0.4},
    "vessel": {"hu": 60, "t1": 200, "t2": 120, "suv": 1.3},
    "airway": {"hu": -990, "t1": 0, "t2": 0, "suv": 0.0},
    "heart": {"hu": 130, "t1": 420, "t2": 330, "suv": 2.1},
    "aorta": {"hu": 190, "t1": 150, "t2": 90, "suv": 1.6},
    "liver": {"hu": 105, "t1": 520, "t2": 260, "suv": 2.4},
    "spine": {"hu": 260, "t1": 460, "t2": 340, "suv": 1.1},
    "marrow": {"hu": 620, "t1": 90, "t2": 60, "suv": 0.6},
    "effusion": {"hu": 12, "t1": 160, "t2": 1100, "suv": 0.6},
    "lesion": {"hu": 42, "t1": 460, "t2": 760, "suv": 8.5},
    "necrosis": {"hu": 14, "t1": 240, "t2": 1050, "suv": 0.9},
}


@dataclass(frozen=True, slots=True)
class Part:
    """One painted structure; `inside` names the tissue around it, for projections."""

    tissue: str
    solid: Solid
    inside: str = "muscle"


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One patient: where the middle of the chest is, and all parts in painting order."""

    middle: tuple[float, float, float]
    parts: tuple[Part, ...]

    def solids(self, tissue: str) -> list[Solid]:
        """The shapes of one tissue."""
        return [p.solid for p in self.parts if p.tissue == tissue]


def patient(
    stream: np.random.Generator,
    *,
    lesions: int,
    steps_mm: tuple[float, float, float],
    coverage_mm: tuple[float, float, float],
    is_ring: bool = False,
) -> Anatomy:
    """A new patient whose heart and lesions fit into the scan that will be made.

    Args:
        stream: Random numbers of this patient.
        lesions: How many lung lesions (0 to 2); one at most where voxels are so large that two would touch.
        steps_mm: Voxel size along x, y, z; lesions are at least a few voxels wide.
        coverage_mm: Extent of the scan along x, y, z.
        is_ring: Whether the first lesion has a necrotic core that is not part of it.
    """
    middle = tuple3(np.round(stream.uniform((-8, -190, -900), (8, -150, -500)), 1))
    size = float(stream.uniform(0.93, 1.05))

    def at(x: float, y: float, z: float, *radii: float) -> Solid:
        centre = tuple3(m + size * o for m, o in zip(middle, (x, y, z), strict=True))
        return Solid(centre, tuple3(size * r for r in radii))

    # What fits between the first and the last slice, with two slices to spare at either end.
    room = (coverage_mm[2] / 2 - 2.2 * steps_mm[2]) / 1.21
    parts = [
        Part("couch", at(0, 136, 0, 230, 9, _ENDLESS), "air"),
        Part("fat", at(0, 0, 0, 176, 122, _ENDLESS), "air"),
        Part("muscle", at(0, 2, 0, 160, 106, _ENDLESS), "fat"),
        Part("lung", at(-80, -4, 10, 62, 84, 132)),
        Part("lung", at(80, -4, 10, 62, 84, 132)),
        *_vessels(stream, at),
        Part("airway", at(0, 22, 90, 9, 9, 60)),
        Part("liver", at(-62, -6, -128, 92, 84, 66)),
        Part("heart", at(22, -34, 0, 46, 40, min(44.0, room)), "lung"),
        Part("aorta", at(24, 38, 0, 13, 13, _ENDLESS)),
        Part("spine", at(0, 72, 0, 24, 20, _ENDLESS)),
        Part("marrow", at(0, 100, 0, 9, 7, _ENDLESS)),
    ]
    for number in range(min(lesions, 1) if max(steps_mm) > 7 else lesions):
        solid = _lesion(stream, at, number, steps_mm, coverage_mm)
        parts.append(Part("lesion", solid, "lung"))
        if is_ring and number == 0:
            parts.append(Part("necrosis", solid.scaled(0.5), "lesion"))
    return Anatomy(middle, tuple(parts))


def _vessels(stream: np.random.Generator, at: _Placing) -> list[Part]:
    """Thin strands in the lungs, so that they do not look empty."""
    out = []
    for side in (-80, 80):
        for _ in range(7):
            x, y, z = stream.uniform((-36, -50, -70), (36, 50, 80))
            radii = np.array([4.0, 4.0, 4.0])
            radii[int(stream.integers(3))] = stream.uniform(16, 34)
            out.append(Part("vessel", at(side + x, y, z, *radii), "lung"))
    return out


def _lesion(
    stream: np.random.Generator,
    at: _Placing,
    number: int,
    steps_mm: tuple[float, float, float],
    coverage_mm: tuple[float, float, float],
) -> Solid:
    """The first lesion lies in the right lung, the second in the left, both clear of the heart."""
    least = 2.5 * np.array(steps_mm)
    low, high = (12.0, 20.0) if number == 0 else (9.0, 14.0)
    radii = np.maximum(stream.uniform(low, high, 3), least)
    radii = np.minimum(radii, np.maximum(least, 0.3 * np.array(coverage_mm)))
    x, y = stream.uniform((86, -20), (96, 26))
    z = stream.uniform(-0.1, 0.1) * min(coverage_mm[2], 140)
    return at(x if number else -x, y, z, *radii)


def image(
    anatomy: Anatomy,
    lattice: Lattice,
    stream: np.random.Generator,
    *,
    contrast: str = "hu",
    blur: float = 0.55,
    noise: float = 14.0,
) -> NDArray[np.float32]:
    """What a scanner sees on a lattice (K, J, I): painted tissues, blurred in the plane, with noise.

    Args:
        anatomy: The patient.
        lattice: Where to look.
        stream: Random numbers of the noise.
        contrast: hu, t1, t2 or suv.
        blur: Width of the scanner's blur in pixels; a sharp kernel has little.
        noise: Standard deviation in the unit of the contrast.
    """
    out = np.full(lattice.shape, _TISSUES["air"][contrast], dtype=np.float32)
    for part in anatomy.parts:
        box = part.solid.window(lattice)
        if box is not None:
            out[box][part.solid.levels(lattice, box) < 1] = _TISSUES[part.tissue][contrast]
    out = ndimage.gaussian_filter(out, (0.0, blur, blur), truncate=3.0)
    out += stream.standard_normal(lattice.shape, dtype=np.float32) * np.float32(noise)
    return np.asarray(out, dtype=np.float32)


def hounsfield(values: NDArray[np.float32]) -> NDArray[np.int16]:
    """Hounsfield units as a 12-bit CT stores them."""
    return np.clip(np.rint(values), -1024, 3071).astype(np.int16)


def radiograph(
    anatomy: Anatomy, stream: np.random.Generator, *, spacing_mm: float, shape: tuple[int, int]
) -> NDArray[np.uint16]:
    """A frontal chest image (rows, columns) of 12 bits, dense tissue bright: chord lengths in closed form."""
    rows, columns = shape
    z = anatomy.middle[2] + 10 - (np.arange(rows)[:, None] - (rows - 1) / 2) * spacing_mm
    x = anatomy.middle[0] + (np.arange(columns)[None, :] - (columns - 1) / 2) * spacing_mm
    total = np.zeros(shape)
    for part in anatomy.parts:
        if part.tissue in {"couch", "marrow"}:
            continue
        (cx, _, cz), (rx, ry, rz) = part.solid.centre, part.solid.radii
        flat = 1 - ((x - cx) / rx) ** 2 - ((z - cz) / rz) ** 2
        density = (_TISSUES[part.tissue]["hu"] - _TISSUES[part.inside]["hu"]) / 1000
        total += density * 2 * ry * np.sqrt(np.maximum(flat, 0))
    bright = 1 - np.exp(-0.0065 * np.maximum(total, 0))
    bright = ndimage.gaussian_filter(bright, 0.7) + stream.standard_normal(shape) * 0.004
    return np.asarray(np.clip(np.rint(bright * 4000 + 40), 0, 4095), dtype=np.uint16)


def heart_size(anatomy: Anatomy, factor: float) -> Anatomy:
    """The same patient with an enlarged heart."""
    parts = tuple(
        Part(p.tissue, p.solid.scaled(factor), p.inside) if p.tissue == "heart" else p for p in anatomy.parts
    )
    return Anatomy(anatomy.middle, parts)


def effusion(anatomy: Anatomy) -> Anatomy:
    """The same patient with fluid at the base of the left lung."""
    x, y, z = (m + o for m, o in zip(anatomy.middle, (86, 10, -84), strict=True))
    fluid = Part("effusion", Solid((x, y, z), (50.0, 70.0, 46.0)), "lung")
    return Anatomy(anatomy.middle, (*anatomy.parts, fluid))
