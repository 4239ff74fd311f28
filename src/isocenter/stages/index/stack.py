"""Stacks: the frames of a series that share an orientation, in order along their normal.

Frames are told apart by what one array cannot hold (orientation, matrix, pixel spacing, frame of reference, kind
of object and of image), then by what repeats at one position (time, echo, b-value, kernel, ...). The order is
that of the projection of Image Position on the normal of Image Orientation (PS3.3 C.7.6.2.1.1), never Instance
Number; spacing comes from positions. Bits and sign do not split a stack: values are read slice by slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from isocenter.stages.index.axis import Part, volumes_of
from isocenter.stages.index.columns import Members, Rows, split_rows
from isocenter.stages.index.geometry import PROJECTIONS, are_placed, distances_along, orientation_of
from isocenter.stages.index.kinds import kind_of_image
from isocenter.stages.index.repeats import Pixels, Separated, told_apart

_SAME_DIRECTION = 1e-3

# What frames of one lattice share, each as it is or by what is told of it.
LATTICE: dict[str, Callable[[Any], Any]] = {
    "rows": lambda v: v,
    "columns": lambda v: v,
    "pixel_spacing_mm": lambda v: tuple(round(n, 4) for n in v),
    "frame_of_reference_uid": lambda v: v,
    "photometric": lambda v: v,
    "samples": lambda v: v,
    "frames": lambda v: v > 1,
    "orientation": len,
    "image_type": kind_of_image,
    "modality": lambda v: v,
    "sop_class_uid": lambda v: v,
}


def separate(members: Members, pixels: Pixels | None = None) -> Separated:
    """The stacks of one series, each in spatial order; the same for any order of the files.

    Args:
        members: The series.
        pixels: Digest of the pixels of a row, "" where nobody knows; without it no pixels are compared.
    """
    numbers, uids = members.numbers, members.uids
    out: list[Part] = []
    copies: list[int] = []
    for lattice in _by_lattice(members, np.argsort(numbers, kind="stable")):
        if is_alone(members, int(lattice[0])):
            out.extend(Part(lattice[n : n + 1]) for n in range(len(lattice)))
        elif len(lattice) > 1 and members.value("shape", int(lattice[0])):
            out.extend(volumes_of(members, lattice))
        elif not are_placed(members, lattice):
            out.append(Part(lattice))
        else:
            distances = distances_along(members, lattice, orientation_of(members, lattice))
            order = np.argsort(distances, kind="stable")
            found = told_apart(members, lattice[order], distances[order], pixels)
            out.extend(found.parts)
            copies.extend(found.copies)
    out.sort(key=lambda p: (-len(p.rows), numbers[p.rows[0]], uids[p.rows[0]] or "", int(p.rows[0])))
    return Separated(out, sorted(copies))


def is_alone(members: Members, row: int) -> bool:
    """Whether an instance is an image of its own."""
    if members.value("modality", row) in PROJECTIONS:
        return True
    return bool(members.value("frames", row) > 1) and members.frame(row) is None


def _by_lattice(members: Members, order: Rows) -> Iterator[Rows]:
    varying = [n for n in LATTICE if not members.is_one(n)]
    if not varying:
        yield order
        return
    for kind in split_rows(order, [members.recoded(n, LATTICE[n]) for n in varying]):
        yield from _by_direction(members, kind)


def _by_direction(members: Members, rows: Rows) -> list[Rows]:
    """Rows of one orientation each; the first row of a group stands for its direction."""
    codes = members.codes("orientation")
    found, starts = np.unique(codes[rows], return_index=True)
    if len(found) == 1 or not members.value("orientation", rows[0]):
        return [rows]
    group_of = np.zeros(int(found.max()) + 1, dtype=np.int32)
    towards, count = np.empty((len(found), 6)), 0
    for at in np.sort(starts):
        orientation = members.value("orientation", rows[at])
        near = np.abs(towards[:count] - orientation).max(axis=1) < _SAME_DIRECTION
        group = int(near.argmax()) if near.any() else count
        if group == count:
            towards[count] = orientation
            count += 1
        group_of[codes[rows[at]]] = group
    # codes of other rows of the series may lie beyond those of these rows
    return split_rows(rows, [group_of[np.minimum(codes, found.max())]])
