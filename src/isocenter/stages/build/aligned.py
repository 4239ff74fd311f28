"""Aligned: masks brought to the voxels of their image where that is safe or asked for, and kept from them where not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.alignment import ELSEWHERE, SAFE, SUSPECTED, Alignment, Cause, diagnose
from isocenter.imaging.changes import Change, changes_of
from isocenter.imaging.embedding import Embedding
from isocenter.imaging.labels import resample_labels
from isocenter.imaging.layers import Layers
from isocenter.imaging.resample import resample_array
from isocenter.imaging.shapes import FractionShape, MaskShape
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue, Severity
from isocenter.model.reasons import because

_REASONS = {
    Cause.ROUNDING: "read/grid-rounding",
    Cause.REORDERED: "read/grid-reordered",
    Cause.PART: "read/grid-part",
    Cause.OFF_BY_ONE: "read/other-grid",
    Cause.TURN: "read/grid-turn",
    Cause.HALF_VOXEL: "read/grid-half-voxel",
    Cause.NEGATED: "read/grid-negated",
    Cause.UNIT: "read/grid-unit",
    Cause.NO_POSITION: "read/grid-without-position",
    Cause.SHIFTED: "read/grid-shifted",
    Cause.OTHER_GRID: "read/grid-resampled",
    Cause.APART: "read/other-grid",
    Cause.OTHER_FRAME: "read/other-frame",
    Cause.NO_VOLUME: "read/other-grid",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignPolicy:
    """What becomes of masks that are not on the voxels of their image.

    Args:
        other_grid: Other voxels in the same space: resampled and held for a person (review), resampled (resample) or
            refused (reject).
        accept: Causes, by name, that a person has looked at: what undoes them is done, and noted.
        kernel: One of `isocenter.imaging.labels.KERNELS`.
    """

    other_grid: str = "review"
    accept: tuple[str, ...] = ()
    kernel: str = "vote"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Placed:
    """One annotation, as far as it can be trusted to be where it says.

    Args:
        annotation: The annotation on the voxels of the image; without a shape, and failed, where it cannot be.
        issues: What was found and done.
        kind: How its grid and that of the image compare; None of a shape that has no voxels of its own.
        proposal: Of a suspected mistake that was not accepted: the mask as it would be without it, for a person to see;
            of a turn, as it would be if its axes were negated.
        change: Of a mask that was resampled: how much of it there was and is.
    """

    annotation: Annotation
    issues: tuple[Issue, ...] = ()
    kind: Cause | None = None
    proposal: NDArray[np.bool_] | None = None
    change: Change | None = None


def placed_on(annotations: Sequence[Annotation], native: Grid, policy: AlignPolicy) -> tuple[Placed, ...]:
    """The annotations of one file on the grid of their image, in the same order.

    Args:
        annotations: Of one file and one rater; fractions are cut where they have to be resampled.
        native: The grid of the image.
        policy: What is done where grids differ.
    """
    out: list[Placed | None] = []
    elsewhere: list[tuple[int, Annotation, Alignment]] = []
    seen: list[tuple[Grid, bool, Alignment]] = []
    is_cut = any(_is_cut(annotation) for annotation in annotations)
    for number, annotation in enumerate(annotations):
        found = _diagnosed(annotation, native, seen, is_cut=is_cut)
        if found is None:
            out.append(Placed(annotation=annotation))
        elif found.cause in ELSEWHERE and (policy.other_grid != "reject" or found.cause in policy.accept):
            elsewhere.append((number, annotation, found))
            out.append(None)
        else:
            out.append(_placed(annotation, native, policy, found, is_cut=is_cut))
    for number, one in _resampled(elsewhere, native, policy, is_cut=is_cut).items():
        out[number] = one
    return _once(one for one in out if one is not None)


def _once(found: Iterable[Placed]) -> tuple[Placed, ...]:
    """What is true of all labels of a file is told by the first of them."""
    told: set[Issue] = set()
    out = []
    for one in found:
        issues = tuple(issue for issue in one.issues if issue not in told)
        told |= set(issues)
        out.append(replace(one, issues=issues))
    return tuple(out)


def _is_cut(annotation: Annotation) -> bool:
    """Whether a format cuts masks to what is marked, so that it speaks of more than the voxels that it has."""
    shape = annotation.shape
    if isinstance(shape, MaskShape):
        return shape.is_part
    return isinstance(shape, FractionShape) or annotation.source == "dicom-seg"


def _own_grid(annotation: Annotation) -> Grid | None:
    """The grid of a mask, also of one in which a rater looked for something and found nothing."""
    shape = annotation.shape
    if isinstance(shape, MaskShape | FractionShape):
        return shape.grid
    return annotation.grid if annotation.state is AnnotationState.ABSENT and shape is None else None


def _diagnosed(
    annotation: Annotation, native: Grid, seen: list[tuple[Grid, bool, Alignment]], *, is_cut: bool
) -> Alignment | None:
    """The cause, found once for all masks of a file on one grid; None where there is nothing to place."""
    own = _own_grid(annotation)
    if own is None:
        return None
    for grid, was_cut, found in seen:
        if grid is own and was_cut == is_cut:
            return found
    found = diagnose(own, native, is_cut=is_cut)
    seen.append((own, is_cut, found))
    return found


def _placed(
    annotation: Annotation, native: Grid, policy: AlignPolicy, found: Alignment, *, is_cut: bool
) -> Placed:
    """An annotation whose voxels are the image's, or are refused."""
    accepted = _accepted(found, policy)
    is_asked = accepted is not None and found.cause not in SAFE
    issues: tuple[Issue, ...] = ()
    if found.cause is not Cause.EXACT:
        issues = (_issue(annotation, found, Severity.NOTE if is_asked else None),)
    if found.cause is Cause.TURN and accepted is None:
        accepted = found.place  # the affine is believed, and a person looks
    if accepted is None:
        return _failed(annotation, issues, found)
    if found.cause in {Cause.EXACT, Cause.ROUNDING, Cause.REORDERED}:
        return Placed(annotation=annotation, issues=issues, kind=found.cause)
    if found.cause is Cause.PART and isinstance(annotation.shape, FractionShape):
        return Placed(annotation=annotation, issues=issues, kind=found.cause)
    covered = None if is_cut else _covered(accepted)
    if annotation.shape is None:
        placed = _on_image(annotation, None, native, covered)
        return Placed(annotation=placed, issues=issues, kind=found.cause)
    try:
        mask = accepted.apply(_mask_of(annotation).array)
    except FormatError as error:
        told = because(
            error.reason,
            target=annotation.id,
            message=error.message,
            measured=error.measured,
            expected=error.expected,
        )
        return _failed(annotation, (*issues, told), found)
    return Placed(
        annotation=_on_image(annotation, mask, native, covered),
        issues=issues,
        kind=found.cause,
        proposal=None if is_asked or found.rival is None else _applied(found.rival, annotation),
    )


def _accepted(found: Alignment, policy: AlignPolicy) -> Embedding | None:
    """The way to the image that may be gone, because it is safe or because a person said so."""
    if found.cause in SAFE or found.cause in policy.accept:
        return found.place if found.cause in SAFE | SUSPECTED else None
    if found.cause is Cause.TURN and Cause.NEGATED in policy.accept:
        return found.rival
    return None


def _failed(annotation: Annotation, issues: tuple[Issue, ...], found: Alignment) -> Placed:
    """An annotation that nobody can trust, with what a person needs to see why."""
    place = found.place if found.cause in SUSPECTED else None
    proposal = None if place is None else _applied(place, annotation)
    return Placed(
        annotation=replace(annotation, shape=None, grid=None, extent=None, state=AnnotationState.FAILED),
        issues=issues,
        kind=found.cause,
        proposal=proposal,
    )


def _applied(place: Embedding, annotation: Annotation) -> NDArray[np.bool_] | None:
    """The mask another way; None where it does not fit in the image, or where nothing is marked."""
    if annotation.shape is None:
        return None
    try:
        return place.apply(_mask_of(annotation).array)
    except FormatError:
        return None


def _resampled(
    elsewhere: list[tuple[int, Annotation, Alignment]], native: Grid, policy: AlignPolicy, *, is_cut: bool
) -> dict[int, Placed]:
    """Masks of other voxels; those of one grid are brought over together, so that neither gaps nor overlaps arise."""
    out: dict[int, Placed] = {}
    grids = {number: grid for number, a, _ in elsewhere if (grid := _own_grid(a)) is not None}
    for grid in {id(grid): grid for grid in grids.values()}.values():
        group = [one for one in elsewhere if grids[one[0]] is grid]
        covered = None if is_cut else _reached(grid, native)
        drawn = [one for one in group if one[1].shape is not None]
        masks, changes = _brought([_mask_of(a) for _, a, _ in drawn], grid, native, policy.kernel)
        for (number, annotation, found), mask, change in zip(drawn, masks, changes, strict=True):
            out[number] = Placed(
                annotation=_on_image(annotation, mask, native, covered),
                issues=(_change_issue(annotation, found, change, policy),),
                kind=found.cause,
                change=change,
            )
        for number, annotation, found in group:
            if annotation.shape is None:
                placed = _on_image(annotation, None, native, covered)
                issue = _change_issue(annotation, found, Change(), policy)
                out[number] = Placed(annotation=placed, issues=() if drawn else (issue,), kind=found.cause)
    return out


def _brought(
    shapes: Sequence[MaskShape], grid: Grid, native: Grid, kernel: str
) -> tuple[NDArray[np.bool_], list[Change]]:
    """Masks of one grid (N, K, J, I) on another, and what became of each."""
    if not shapes:
        return np.zeros((0, *native.shape), dtype=np.bool_), []
    layers = Layers(grid.shape, len(shapes))
    for value, shape in enumerate(shapes, start=1):
        layers.add(np.asarray(shape.array, dtype=np.bool_), value)
    changes = [Change()] * len(shapes)
    maps: list[NDArray[Any]] = []
    for layer in layers.maps:
        maps.append(resample_labels(layer, grid, native, kernel=kernel))
        for value, change in changes_of(layer, grid, maps[-1], native).items():
            changes[value - 1] = change
    return layers.masks(maps), changes


def _mask_of(annotation: Annotation) -> MaskShape:
    shape = annotation.shape
    if isinstance(shape, FractionShape):
        return shape.cut(shape.threshold)
    if not isinstance(shape, MaskShape):
        raise TypeError("only masks have voxels of their own")
    return shape


def _on_image(
    annotation: Annotation,
    mask: NDArray[np.bool_] | None,
    native: Grid,
    covered: NDArray[np.bool_] | None,
) -> Annotation:
    """The annotation with the image's voxels; where its grid ended, nobody looked, unless the format cuts masks."""
    state, extent = annotation.state, annotation.extent
    if covered is not None and not covered.all() and extent is None:
        state, extent = AnnotationState.PARTIAL, MaskShape(covered, native)
    shape = None if mask is None else MaskShape(mask, native)
    return replace(annotation, shape=shape, grid=native, state=state, extent=extent)


def _covered(place: Embedding) -> NDArray[np.bool_]:
    """Voxels (K, J, I) of the image that are on the mask's grid."""
    out = np.zeros(place.grid.shape, dtype=np.bool_)
    sizes = zip(place.start, place.reorder.grid.shape, strict=True)
    k, j, i = (slice(max(start, 0), max(start + size, 0)) for start, size in sizes)
    out[k, j, i] = True
    return out


def _reached(own: Grid, native: Grid) -> NDArray[np.bool_]:
    """Voxels (K, J, I) of the image whose centres are in a voxel of another grid."""
    ones = np.ones(own.shape, dtype=np.uint8)
    return np.asarray(resample_array(ones, own, native, kernel="nearest")[0] != 0)


def _issue(annotation: Annotation, found: Alignment, severity: Severity | None) -> Issue:
    is_known = np.isfinite(found.distance_mm)
    return because(
        "read/other-grid" if found.cause in ELSEWHERE else _REASONS[found.cause],
        target=annotation.id,
        severity=severity,
        measured=found.told or (f"{found.distance_voxels:.2g} voxels" if is_known else ""),
        expected="the image's grid",
        unit=f"corners {found.distance_mm:.4g} mm apart" if is_known else "",
    )


def _change_issue(annotation: Annotation, found: Alignment, change: Change, policy: AlignPolicy) -> Issue:
    """What a mask was before and is after; one that is as large as its image and beside it is never taken silently."""
    is_asked = (
        Cause.SHIFTED in policy.accept if found.cause is Cause.SHIFTED else policy.other_grid == "resample"
    )
    before = f"{change.drawn_before_ml:.4g} ml in {change.drawn_components_before}"
    after = f"{change.drawn_after_ml:.4g} ml in {change.drawn_components_after}"
    return because(
        _REASONS[found.cause],
        target=annotation.id,
        severity=Severity.NOTE if is_asked else Severity.REVIEW,
        measured=f"{after} pieces ({found.told})",
        expected=f"{before} pieces",
    )
