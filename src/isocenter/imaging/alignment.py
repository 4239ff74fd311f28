"""Alignment: why the grid of a mask is not that of its image, told from where their corners lie in the patient.

What the affine says is believed as long as it is consistent: another order of axes, or a part of the same voxels, is
put right without interpolation. What looks like a mistake of a converter is named, never put right unasked, even
where undoing it would fit to the voxel: a mask may lie in a wrong place that fits, too.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.affine import ROUNDING_VOXELS, Reorder, is_singular, match, reorder_along
from isocenter.imaging.embedding import Embedding, embedding
from isocenter.imaging.hypotheses import negated, positioned, scaled
from isocenter.model.grid import Grid


class Cause(enum.StrEnum):
    """Why two grids differ; the first four are put right by themselves."""

    EXACT = "exact"
    ROUNDING = "rounding"
    REORDERED = "reordered"
    PART = "part"
    OFF_BY_ONE = "off-by-one"
    TURN = "turn"
    HALF_VOXEL = "half-voxel"
    NEGATED = "negated"
    UNIT = "unit"
    NO_POSITION = "no-position"
    SHIFTED = "shifted"
    OTHER_GRID = "other-grid"
    APART = "apart"
    OTHER_FRAME = "other-frame"
    NO_VOLUME = "no-volume"


# The affine is right, or as good as right: nothing has to be guessed, and nothing is interpolated.
SAFE = frozenset({Cause.EXACT, Cause.ROUNDING, Cause.REORDERED, Cause.PART})
# The affine is probably wrong, and it is known how: a person may accept what undoes it.
SUSPECTED = frozenset(
    {Cause.OFF_BY_ONE, Cause.TURN, Cause.HALF_VOXEL, Cause.NEGATED, Cause.UNIT, Cause.NO_POSITION}
)
# The affine may be right, but the voxels are others: they can be resampled.
ELSEWHERE = frozenset({Cause.SHIFTED, Cause.OTHER_GRID})

# What may become of masks of other voxels: resampled and held for a person, resampled, or refused.
OTHER_GRIDS = ("review", "resample", "reject")
# What a cohort may accept, each a cause by name: "turn", "off-by-one" and "shifted" take the affine at its word.
ACCEPTABLE = tuple(sorted(str(cause) for cause in SUSPECTED | {Cause.SHIFTED}))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Alignment:
    """What a comparison of two grids at their eight corners came to.

    Args:
        cause: Why they differ.
        told: How they differ, in a few words.
        distance_voxels: Of grids as large as each other, how far corners lie apart along an axis, in voxels of the
            image; of a part of the image's voxels, how far off its voxels are; infinite where neither is known.
        distance_mm: The same in millimetres.
        place: Takes the mask's voxels to the image's without interpolation: where the affine has them if the cause
            is safe, off by one or a turn, and where they would be without the mistake if another is suspected. None
            where there is no such way, or more than one.
        rival: Of a turn, where the mask's voxels would be if its axes were negated instead.
    """

    cause: Cause
    told: str = ""
    distance_voxels: float = float("inf")
    distance_mm: float = float("inf")
    place: Embedding | None = None
    rival: Embedding | None = None

    @property
    def is_safe(self) -> bool:
        """Whether the mask may be put in its place without anyone being asked."""
        return self.cause in SAFE


def diagnose(own: Grid, image: Grid, *, is_cut: bool = False) -> Alignment:
    """Why the grid of a mask is not that of its image.

    Args:
        own: The grid of the mask.
        image: The grid of the image.
        is_cut: Whether the format cuts masks to what is marked, so that any part of the image's voxels will do. Of
            another, one slice more or less than the image has is no part that anybody chose.
    """
    frames = (own.frame_of_reference, image.frame_of_reference)
    if all(frames) and frames[0] != frames[1]:
        return Alignment(cause=Cause.OTHER_FRAME, told="another frame of reference")
    if is_singular(own) or is_singular(image):
        return Alignment(cause=Cause.NO_VOLUME, told="an affine that has no inverse")
    return _plain(own, image, is_cut) or _suspected(own, image) or _elsewhere(own, image)


def _plain(own: Grid, image: Grid, is_cut: bool) -> Alignment | None:
    """What the affines say, if by them the voxels of one are those of the other."""
    found = match(image, own)
    place = embedding(own, image)
    if place is None:
        return None
    if found.reorder is None and (place.reorder.grid.shape == image.shape or not _touches(place)):
        return None  # as many voxels, but elsewhere: that is no part
    voxels, mm = _residual(place)
    out = Alignment(cause=Cause.PART, distance_voxels=voxels, distance_mm=mm, place=place)
    if found.reorder is not None:
        place = Embedding(image, found.reorder, (0, 0, 0))
        cause = Cause(found.kind.value)
        out = replace(
            out,
            cause=cause,
            place=place,
            distance_voxels=found.distance_voxels,
            distance_mm=found.distance_mm,
        )
    elif not is_cut and _is_off_by_one(place):
        out = replace(out, cause=Cause.OFF_BY_ONE)
        return replace(out, told=f"{place.reorder.grid.shape} voxels instead of {image.shape}")
    if place.reorder.is_identity or (doubt := _doubt(own, image)) is None:
        return replace(out, told=_order(place.reorder, image))
    told, rival = doubt
    return replace(out, cause=Cause.TURN, told=f"{_order(place.reorder, image)}, or {told}", rival=rival)


def _doubt(own: Grid, image: Grid) -> tuple[str, Embedding] | None:
    """The negation that explains as well, and without any turn, what is a turn by what the affine says."""
    for told, grid in negated(own):
        place = embedding(grid, image)
        if place is not None and place.is_inside and place.reorder.is_identity:
            return told, place
    return None


def _suspected(own: Grid, image: Grid) -> Alignment | None:
    """The first mistake of which the undoing makes the voxels of one those of the other."""
    for cause, hypotheses in (
        (Cause.NEGATED, negated(own)),
        (Cause.NO_POSITION, positioned(own, image)),
        (Cause.UNIT, scaled(own)),
        (Cause.HALF_VOXEL, _halves(own, image)),
    ):
        if (found := _explained(cause, hypotheses, own, image)) is not None:
            return found
    return None


def _explained(
    cause: Cause, hypotheses: Iterable[tuple[str, Grid]], own: Grid, image: Grid
) -> Alignment | None:
    fits = [(told, place) for told, grid in hypotheses if (place := _fit(grid, image)) is not None]
    if not fits:
        return None
    told, place = fits[0]
    others = {(p.start, p.reorder.order, p.reorder.flips) for _, p in fits}
    voxels, mm = _distance(own, image)
    return Alignment(
        cause=cause,
        told=told,
        distance_voxels=voxels,
        distance_mm=mm,
        place=place if len(others) == 1 else None,
    )


def _fit(grid: Grid, image: Grid) -> Embedding | None:
    place = embedding(grid, image)
    return place if place is not None and place.is_inside else None


def _halves(own: Grid, image: Grid) -> Iterator[tuple[str, Grid]]:
    """The grid moved by half a voxel: the corner of a voxel taken for its centre, or the other way round."""
    turned = reorder_along(own, image.affine[:3, :3]).grid
    offset = (image.to_voxel(turned.affine[:3, 3][np.newaxis]))[0]
    beside = offset - np.rint(offset)
    is_half = np.abs(np.abs(beside) - 0.5) < ROUNDING_VOXELS
    if not is_half.any() or (np.abs(beside[~is_half]) >= ROUNDING_VOXELS).any():
        return
    axes = "".join("ijk"[a] for a in range(3) if is_half[a])
    for ways in product((-0.5, 0.5), repeat=int(is_half.sum())):
        affine = own.affine.copy()
        affine[:3, 3] += image.affine[:3, :3][:, is_half] @ np.array(ways)
        yield f"half a voxel along {axes}", Grid(own.shape, affine, own.frame_of_reference, own.is_oriented)


def _elsewhere(own: Grid, image: Grid) -> Alignment:
    """Two grids of which neither mistake nor order makes one."""
    if own.is_oriented != image.is_oriented:
        return Alignment(cause=Cause.APART, told="only one of them says where the patient is")
    found = match(image, own)
    told = ", ".join(found.differs)
    sizes = {"voxels": found.distance_voxels, "mm": found.distance_mm}
    alike = reorder_along(own, image.affine[:3, :3]).grid.shape == image.shape
    voxels, mm = (sizes["voxels"], sizes["mm"]) if alike else (float("inf"), float("inf"))
    out = Alignment(cause=Cause.OTHER_GRID, told=told, distance_voxels=voxels, distance_mm=mm)
    if not _overlap(own, image):
        return replace(out, cause=Cause.APART, told=told or "no voxel in common")
    if not {"shape", "spacing", "direction"} & set(found.differs):
        return replace(out, cause=Cause.SHIFTED)
    return out


def _distance(own: Grid, image: Grid) -> tuple[float, float]:
    """How far corners lie apart, in voxels of the image and in millimetres; infinite where sizes differ."""
    turned = reorder_along(own, image.affine[:3, :3]).grid
    if turned.shape != image.shape:
        return float("inf"), float("inf")
    return _largest(turned.corners_mm() - image.corners_mm(), image)


def _residual(place: Embedding) -> tuple[float, float]:
    """How far the voxels of a part lie beside those of the image."""
    grid, turned = place.grid, place.reorder.grid
    k, j, i = place.start
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ np.array([i, j, k], dtype=np.float64)
    there = Grid(turned.shape, affine)
    return _largest(turned.corners_mm() - there.corners_mm(), grid)


def _largest(differences_mm: NDArray[np.float64], image: Grid) -> tuple[float, float]:
    voxels = differences_mm @ np.linalg.inv(image.affine[:3, :3]).T
    return float(np.abs(voxels).max()), float(np.linalg.norm(differences_mm, axis=1).max())


def _order(reorder: Reorder, image: Grid) -> str:
    codes = reorder.source.axis_codes
    return "" if reorder.is_identity else f"axes run {codes} instead of {image.axis_codes}"


def _is_off_by_one(place: Embedding) -> bool:
    """Whether sizes differ by one voxel along one axis alone."""
    differences = np.abs(np.subtract(place.reorder.grid.shape, place.grid.shape))
    return int(differences.sum()) == 1


def _touches(place: Embedding) -> bool:
    sizes = zip(place.start, place.reorder.grid.shape, place.grid.shape, strict=True)
    return all(start < whole and start + size > 0 for start, size, whole in sizes)


def _overlap(own: Grid, image: Grid) -> bool:
    """Whether some of the one's voxels may lie on the other's: of oblique grids, whether the boxes around them meet."""
    corners = image.to_voxel(own.corners_mm())
    sizes = np.array(image.shape[::-1], dtype=np.float64)
    return bool((corners.max(axis=0) > -0.5).all() and (corners.min(axis=0) < sizes - 0.5).all())
