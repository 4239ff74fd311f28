"""What became of contours on their image's grid, as notes that stay with the case."""

from __future__ import annotations

from dataclasses import replace

from isocenter.imaging.shapes import Contours
from isocenter.model.annotation import Annotation
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.reasons import because

# Fields of ContourReport by what they mean for the mask.
_LEFT_OUT = ("too_few_points", "not_finite", "duplicates", "off_plane", "between_slices", "outside")
_CUT = ("partly_outside", "without_voxels")


def by_area(annotation: Annotation) -> Annotation:
    """The same annotation, with voxels inside its contours by their area."""
    if not isinstance(annotation.shape, Contours):
        return annotation
    return replace(annotation, shape=replace(annotation.shape, by_area=True))


def contour_issues(annotation: Annotation, grid: Grid) -> list[Issue]:
    """Notes on contours that were left out, cut, that overlap, or that leave slices between them empty."""
    if not isinstance(annotation.shape, Contours):
        return []
    report = annotation.shape.report(grid)
    out = []
    for reason, names in (
        ("read/contours-left-out", _LEFT_OUT),
        ("read/contours-cut", _CUT),
        ("read/contours-overlap", ("overlapping", "self_crossing")),
        ("read/contours-oblique", ("oblique",)),
        ("read/contour-gaps", ("gaps",)),
    ):
        counts = {name: getattr(report, name) for name in names if getattr(report, name)}
        if counts:
            told = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items())
            of = f"of {report.contours} contours"
            out.append(because(reason, target=annotation.id, measured=told, expected="none", unit=of))
    return out
