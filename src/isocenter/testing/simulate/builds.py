"""Builds: no two people are alike, so organs differ in size and place from one simulated patient to the next.

All patients of `phantom` are one chest of several sizes, which is enough to test reading and writing. Where people are
to be told apart by their images, each needs a build of his own: here two simulated people are about as alike as two
real ones are (docs/explanation/near-duplicates.md).
"""

from __future__ import annotations

import numpy as np

from isocenter.testing.simulate.phantom import Anatomy, Part
from isocenter.testing.simulate.solids import Solid, tuple3

# Widths, and how far a middle may be from its place, in millimetres along x, y and z. The heart and lesions stay as
# they are: others rely on where these lie.
_SIZES = {
    "lung": (0.75, 1.0),
    "liver": (0.80, 1.20),
    "spine": (0.75, 1.30),
    "marrow": (0.75, 1.30),
    "aorta": (0.70, 1.40),
    "airway": (0.70, 1.40),
}
_PLACES = {
    "lung": (6.0, 12.0, 30.0),
    "liver": (18.0, 15.0, 15.0),
    "spine": (9.0, 11.0, 0.0),
    "marrow": (9.0, 11.0, 0.0),
    "aorta": (10.0, 9.0, 0.0),
    "airway": (8.0, 12.0, 15.0),
}
# Width and depth of the body, and how much of it is fat, in millimetres.
_BODY, _FAT_MM = (0.86, 1.14), (6.0, 34.0)
# Folds, muscles, bowel, vessels: how many, how large in millimetres, and made of what.
_STRUCTURES, _SIZE_MM, _ALONG_MM = 400, (6.0, 32.0), 140.0
_MADE_OF = ("fat", "muscle", "fat", "muscle", "vessel", "marrow", "airway")


def individual(anatomy: Anatomy, stream: np.random.Generator) -> Anatomy:
    """The same patient with a build of his own; heart and lesions stay where they are.

    Args:
        anatomy: A patient of `phantom.patient`.
        stream: Random numbers of this patient.
    """
    wide, deep = (float(v) for v in stream.uniform(*_BODY, size=2))
    less_fat = float(stream.uniform(*_FAT_MM)) - 16.0
    parts: list[Part] = []
    for part in anatomy.parts:
        if part.tissue == "heart":
            parts += _structures(anatomy, stream, (wide, deep))
        parts.append(Part(part.tissue, _changed(part, stream, (wide, deep), less_fat), part.inside))
    return Anatomy(anatomy.middle, tuple(parts))


def _changed(part: Part, stream: np.random.Generator, body: tuple[float, float], less_fat: float) -> Solid:
    x, y, z = part.solid.radii
    if part.tissue in {"fat", "muscle"}:
        less = less_fat if part.tissue == "muscle" else 0.0
        return Solid(part.solid.centre, (x * body[0] - less, y * body[1] - less, z))
    if part.tissue not in _SIZES:
        return part.solid
    factors = stream.uniform(*_SIZES[part.tissue], size=3)
    offset = stream.uniform(-1, 1, size=3) * np.array(_PLACES[part.tissue])
    return Solid(part.solid.moved(tuple3(offset)).centre, tuple3(np.array((x, y, z)) * factors))


def _structures(anatomy: Anatomy, stream: np.random.Generator, body: tuple[float, float]) -> list[Part]:
    """Small solids all over the body, more of them near its surface, below heart and lesions in painting order."""
    outline = anatomy.solids("fat")[0]
    out = []
    for _ in range(_STRUCTURES):
        angle, far = stream.uniform(0, 2 * np.pi), float(np.sqrt(stream.uniform(0.02, 0.9)))
        centre = (
            outline.centre[0] + outline.radii[0] * body[0] * far * np.cos(angle),
            outline.centre[1] + outline.radii[1] * body[1] * far * np.sin(angle),
            anatomy.middle[2] + stream.uniform(-_ALONG_MM, _ALONG_MM),
        )
        tissue = _MADE_OF[int(stream.integers(len(_MADE_OF)))]
        out.append(Part(tissue, Solid(tuple3(centre), tuple3(stream.uniform(*_SIZE_MM, size=3)))))
    return out
