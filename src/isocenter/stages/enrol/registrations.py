"""Registrations: which frames of reference the registration objects of the sources connect."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import located
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.formats.dicom.registration import read_registration
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, FileRow, Stack

KIND = "dicom-registration"
# Two ways from one frame to another are the same if they take no corner of a cube of a metre further apart than this.
_SAME_MM = 0.05
_CORNERS_MM = np.array([(*corner, 1.0) for corner in itertools.product((-500.0, 500.0), repeat=3)])

Matrix = NDArray[np.float64]


@dataclass(slots=True, eq=False)
class Registrations:
    """Matrices between frames of reference, by their pseudonyms; each takes RAS+ millimetres of the first to the second."""

    names: Pseudonyms
    steps: dict[tuple[str, str], list[Matrix]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    @classmethod
    def read(cls, files: Mapping[str, FileRow], roots: tuple[Path, ...], names: Pseudonyms) -> Registrations:
        """Read all registration objects; what cannot be applied is told by its file."""
        out = cls(names)
        for file_id, row in sorted(files.items()):
            if row.kind != KIND:
                continue
            try:
                found = read_registration(located(roots[row.source], row.path))
            except FormatError as error:
                target = names.of("ann", file_id)
                out.issues.append(
                    because("enrol/unusable-registration", target=target, measured=error.message)
                )
                continue
            end = names.of("for", found.to_uid)
            for uid, matrix in sorted(found.matrices.items()):
                out.add(names.of("for", uid), end, matrix)
        return out

    def add(self, start: str, end: str, matrix: Matrix) -> None:
        """One registration, and its way back."""
        if start != end:
            self.steps.setdefault((start, end), []).append(matrix)
            back = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
            self.steps.setdefault((end, start), []).append(back)

    def between(self, start: str, end: str) -> Matrix | None:
        """The way from one frame to another, directly or over one in between; None without one, or if ways differ."""
        ways = list(self.steps.get((start, end), []))
        if not ways:
            over = sorted(b for a, b in self.steps if a == start)
            ways = [
                second @ first
                for middle in over
                for first in self.steps[start, middle]
                for second in self.steps.get((middle, end), [])
            ]
        if not ways or any(_apart_mm(way, ways[0]) > _SAME_MM for way in ways):
            return None
        return ways[0]

    def reached(self, start: str) -> list[str]:
        """The frames that some way leads to."""
        near = {b for a, b in self.steps if a == start}
        return sorted((near | {b for a, b in self.steps if a in near}) - {start})

    def differ(self, found: AnnotationObject, stack: Stack) -> bool:
        """Whether an annotation and an image both say in which frame of reference they are, and it is not the same."""
        frames = (self._frame(found), stack.frame_of_reference)
        return all(frames) and frames[0] != frames[1]

    def numbers(self, found: AnnotationObject, stack: Stack) -> tuple[float, ...]:
        """The matrix from the frame of an annotation to that of an image, row by row; () without need, or without one."""
        if not self.differ(found, stack):
            return ()
        matrix = self.between(self._frame(found), stack.frame_of_reference)
        return () if matrix is None else tuple(float(v) for v in matrix.ravel())

    def moved(
        self, found: AnnotationObject, by_frame: Mapping[str, Sequence[Stack]]
    ) -> list[tuple[Stack, AnnotationObject]]:
        """Images in frames that some way leads to, each with the annotation as it lies there."""
        out = []
        for frame in self.reached(self._frame(found)):
            matrix = self.between(self._frame(found), frame)
            if matrix is not None:
                points = np.array(found.samples_mm, dtype=np.float64).reshape(-1, 3)
                there = (points @ matrix[:3, :3].T + matrix[:3, 3]).ravel()
                samples = tuple(float(v) for v in there)
                out += [(s, replace(found, samples_mm=samples)) for s in by_frame.get(frame, ())]
        return sorted(out, key=lambda pair: pair[0].id)

    def _frame(self, found: AnnotationObject) -> str:
        uid = found.frame_of_reference_uid
        return self.names.of("for", uid) if uid else ""


def _apart_mm(first: Matrix, second: Matrix) -> float:
    """How far apart two ways take a point of a cube of a metre: at one of its corners it is farthest."""
    moved = _CORNERS_MM @ (first - second).T
    return float(np.linalg.norm(moved[:, :3], axis=1).max())
