"""Gathering: every annotation of a case is read, placed and told apart by label and rater."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from isocenter.base.errors import FormatError
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.imaging.affine import Reorder
from isocenter.imaging.changes import Change
from isocenter.imaging.instances import as_one, instances_of
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.reasons import REASONS, because
from isocenter.model.rows import PlannedAnnotation
from isocenter.model.task import Task, TaskContract
from isocenter.model.volume import Volume
from isocenter.rules.engine import Engine
from isocenter.stages.build.aligned import AlignPolicy, placed_on
from isocenter.stages.build.contours import by_area, contour_issues
from isocenter.stages.build.drawings import drawings_of, reorder_between
from isocenter.stages.build.extents import Extents
from isocenter.stages.build.fractions import cut
from isocenter.stages.build.images import Images, SourceFile
from isocenter.stages.build.moved import moved
from isocenter.stages.build.opinions import Mask, Opinion, Opinions
from isocenter.stages.build.options import BuildOptions
from isocenter.stages.build.shapes import boxes_in, on_slice, points_in

_STATES = {True: AnnotationState.MARKED, False: AnnotationState.ABSENT}


@dataclass(slots=True, eq=False)
class Gathered:
    """What is known of a case, rater by rater.

    Args:
        opinions: By label and rater.
        vanished: Labels of which something was marked that has no voxel on the case's grid, and by whom.
        changes: How much of each label there was and is, all drawings added up.
        not_taken: By rater, what was held back because of where it is: where it would be without the suspected mistake.
        issues: What was seen on the way.
    """

    opinions: Opinions = field(default_factory=Opinions)
    vanished: dict[str, set[str]] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    not_taken: dict[str, Mask] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def alone(self, rater: str) -> Gathered:
        """What one rater says, without the others."""
        vanished = {label: {rater} for label, raters in self.vanished.items() if rater in raters}
        return replace(self, opinions=self.opinions.alone(rater), vanished=vanished)


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """The image that an annotation is on, and how its voxels come to the grid of the case."""

    volume: Volume
    grid: Grid
    reorder: Reorder | None
    kernel: str


def gather(
    planned: Iterable[PlannedAnnotation],
    images: Images,
    stacks: Mapping[str, str],
    files: Mapping[str, SourceFile],
    options: BuildOptions,
    engine: Engine,
) -> Gathered:
    """Read all annotations of a case; `stacks` maps a stack's id to its channel."""
    out = Gathered()
    for plan in planned:
        place = _place(images, stacks[plan.on], options)
        if not plan.file_id:
            _add_rows(out, plan, Extents(place.volume, images.grid, place.reorder))
            continue
        if not plan.keys and not plan.searched:
            continue  # attached to the image, but nothing in it is a label of the task
        try:
            found = _read(plan, files[plan.file_id]) if plan.keys else []
            _add_searched(out, plan, found, Extents(place.volume, images.grid, place.reorder))
            for rater in dict.fromkeys(a.rater for a, _ in found):
                own = [pair for pair in found if pair[0].rater == rater]
                _add_file(out, plan, own, place, options.contract, engine)
        except FormatError as error:
            out.issues.append(
                because(error.reason, message=error.message, measured=error.measured, expected=error.expected)
            )
            for label in plan.labels:
                out.opinions.of(label, plan.rater).add(AnnotationState.FAILED)
    return out


def _place(images: Images, channel: str, options: BuildOptions) -> _Place:
    volume = images.volumes[channel]
    is_reference = channel == options.contract.reference and images.grid is images.reorder.grid
    reorder = images.reorder if is_reference else reorder_between(volume.grid, images.grid)
    return _Place(volume, images.grid, reorder, options.standardise.label_kernel)


def _read(plan: PlannedAnnotation, file: SourceFile) -> list[tuple[Annotation, str]]:
    """Annotations of a file with the slice that each is on; readers of the file alone are anonymous."""
    wanted = dict(zip(plan.keys, plan.labels, strict=True))
    read = ANNOTATIONS.get(plan.format).read(
        Path(file.path), wanted, annotation_id=plan.id, rater=plan.rater, expected=file.expected
    )
    found = [_registered(cut(annotation, plan.fraction), plan) for annotation in read]
    if plan.by_area:
        found = [by_area(annotation) for annotation in found]
    # who is named by the file alone is nobody that another file names, and goes by no name of a person
    named = dict.fromkeys(a.rater for a in found if a.rater != plan.rater)
    slots = {rater: f"reader {n} of {plan.id}" for n, rater in enumerate(named, 1)}
    found = [replace(a, rater=slots.get(a.rater, a.rater)) for a in found]
    if not plan.slices:
        return [(annotation, "") for annotation in found]
    if len(found) != len(plan.keys):
        raise FormatError("file/corrupt", "an annotation that names its slice is not in its file any more")
    by_key = dict(zip(plan.keys, plan.slices, strict=True))
    return [(annotation, by_key[key]) for annotation, key in zip(found, sorted(plan.keys), strict=True)]


def _registered(annotation: Annotation, plan: PlannedAnnotation) -> Annotation:
    """The annotation in the frame of reference of its image."""
    if not plan.is_in_other_frame:
        return annotation
    if not plan.registration:
        raise FormatError("read/other-frame", REASONS["read/other-frame"].meaning)
    return moved(annotation, np.array(plan.registration, dtype=np.float64).reshape(4, 4))


def _add_file(
    out: Gathered,
    plan: PlannedAnnotation,
    found: Sequence[tuple[Annotation, str]],
    place: _Place,
    contract: TaskContract,
    engine: Engine,
) -> None:
    """What one rater drew in one file; several keys of one label are one structure, or its instances."""
    native = place.volume.grid
    extents = Extents(place.volume, place.grid, place.reorder)
    drawings: list[tuple[Annotation, str]] = []
    for annotation, where in found:
        opinion = out.opinions.of(annotation.concept, annotation.rater)
        number = extents.number_of(where)
        boxes, points = (
            boxes_in(annotation.shape, native, number),
            points_in(annotation.shape, native, number),
        )
        if boxes is None and points is None:
            drawings.append((replace(annotation, shape=on_slice(annotation.shape, native, number)), where))
        else:
            out.issues += annotation.issues
            _add_marks(opinion, annotation.state, boxes or [], points or [], plan, extents, where)
    drawn = []
    policy = AlignPolicy(other_grid=plan.other_grid, accept=plan.accept, kernel=place.kernel)
    for placed in placed_on([annotation for annotation, _ in drawings], native, policy):
        annotation = placed.annotation
        out.issues += [*annotation.issues, *placed.issues]
        if placed.proposal is not None:
            held, before = extents.carried(placed.proposal), out.not_taken.get(annotation.rater)
            out.not_taken[annotation.rater] = held if before is None else held | before
        if annotation.state is AnnotationState.FAILED:
            out.opinions.of(annotation.concept, annotation.rater).add(AnnotationState.FAILED)
            continue
        out.issues += contour_issues(annotation, native)
        out.issues += engine.check(replace(annotation, grid=annotation.grid or native, on=plan.on))
        drawn.append(annotation)
    looked = extents.of_drawings(drawn, plan, [where for _, where in drawings])
    _add_drawings(out, drawn, looked, place, contract)


def _add_searched(
    out: Gathered, plan: PlannedAnnotation, found: Sequence[tuple[Annotation, str]], extents: Extents
) -> None:
    """Labels that the raters of a file looked for: what is not marked of them is not there."""
    if plan.covers == "marks":
        return  # nothing is known beside the marks
    for rater in dict.fromkeys(annotation.rater for annotation, _ in found) or (plan.rater,):
        for label in plan.searched:
            _add_marks(out.opinions.of(label, rater), AnnotationState.ABSENT, [], [], plan, extents)


def _add_marks(
    opinion: Opinion,
    state: AnnotationState,
    boxes: Sequence[tuple[float, ...]],
    points: Sequence[tuple[float, ...]],
    plan: PlannedAnnotation,
    extents: Extents,
    where: str = "",
) -> None:
    """Boxes and points of one label, and where the rater looked for them."""
    known = extents.of_slices(plan.searched_slices or ((where,) if where else plan.slices))
    if plan.covers == "marks" and (boxes or points):
        known = extents.nothing
    elif known is None and plan.covers == "slices" and (boxes or points):
        known = extents.of_boxes(boxes)
    is_partial = known is not None or state is AnnotationState.PARTIAL
    opinion.add(AnnotationState.PARTIAL if is_partial else state, known=known)
    opinion.boxes += boxes
    opinion.points += points


def _add_drawings(
    out: Gathered,
    drawn: Sequence[Annotation],
    looked: Mapping[str, Mask | None],
    place: _Place,
    contract: TaskContract,
) -> None:
    """Masks of one file on the case's grid."""
    is_apart = contract.instances or contract.task is Task.DETECTION
    names = {str(n) if is_apart else a.concept: a for n, a in enumerate(drawn)}
    named = [replace(a, concept=str(n)) if is_apart else a for n, a in enumerate(drawn)]
    drawings = drawings_of(tuple(named), place.volume.grid, place.grid, place.reorder, place.kernel)
    for name, drawing in drawings.items():
        label, rater = names[name].concept, names[name].rater
        opinion = out.opinions.of(label, rater)
        if drawing.is_lost:
            out.vanished.setdefault(label, set()).add(
                rater
            )  # smaller than a voxel of the grid, or off the image
        known = looked.get(label)
        state = _STATES[bool(drawing.mask.any()) or drawing.is_lost]
        if known is not None:
            state, known = AnnotationState.PARTIAL, known | drawing.mask
        opinion.add(state, drawing.mask, known)
        out.changes[label] = out.changes.get(label, Change()) + drawing.change
    for label in sorted({a.concept for a in names.values()} if is_apart else ()):
        # several keys are lesions of their own; one key is all lesions, whatever other files there are
        own = [(names[n].rater, d.mask) for n, d in drawings.items() if names[n].concept == label]
        parts = [(rater, mask, part) for rater, mask in own if (part := as_one(mask)) is not None]
        for rater, mask, part in parts:
            found = [part] if len(parts) > 1 else instances_of(mask, contract.connectivity)
            out.opinions.of(label, rater).parts += found


def _add_rows(out: Gathered, plan: PlannedAnnotation, extents: Extents) -> None:
    """What a table says: classes, boxes and points."""
    if plan.kind == "labels":
        slices = plan.slices or ("",) * len(plan.labels)
        for label, state, where in zip(plan.labels, plan.states, slices, strict=True):
            if state != AnnotationState.NOT_ANNOTATED:
                is_there = state == AnnotationState.MARKED
                _add_vote(out.opinions.of(label, plan.rater), where, extents, is_there=is_there)
        return
    width = 4 if plan.kind == "points" else 6
    numbers = plan.points if plan.kind == "points" else plan.boxes
    for n, label in enumerate(plan.labels):
        marks = [numbers[width * n : width * (n + 1)]]
        boxes, points = ([], marks) if width == 4 else (marks, [])
        where = plan.slices[n] if plan.slices else ""
        opinion = out.opinions.of(label, plan.rater)
        _add_marks(opinion, AnnotationState.MARKED, boxes, points, plan, extents, where)
    for label in plan.searched:
        _add_marks(out.opinions.of(label, plan.rater), AnnotationState.ABSENT, [], [], plan, extents)


def _add_vote(opinion: Opinion, where: str, extents: Extents, *, is_there: bool) -> None:
    """A class label, of the case or of one slice; a slice without it is known, one with it is not outlined."""
    if not where:
        opinion.votes.append(is_there)
        opinion.add(_STATES[is_there])
        return
    number = extents.packed_number_of(where)
    if number is not None:
        opinion.slice_votes[number] = is_there or opinion.slice_votes.get(number, False)
    known = extents.of_slices(() if is_there else (where,), is_some=True)
    opinion.add(AnnotationState.PARTIAL, extents.nothing, known)
