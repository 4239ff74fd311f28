"""Objects: annotation files that name what is in them, joined to the images that they were drawn on.

Order of evidence: the single image that a part names, SOP references, referenced series, frame of reference (or
subject) with points that lie on exactly one image, a declared path template; what is left goes to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.base.templates import Template
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.drawings import drawing_kinds
from isocenter.formats.image import FORMATS
from isocenter.model.annotation import Part
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, PlannedAnnotation, Stack
from isocenter.stages.enrol.inputs import Inputs
from isocenter.stages.enrol.naming import Naming, parts_of
from isocenter.stages.enrol.options import Absent, AnnotationSource
from isocenter.stages.enrol.pictures import Pictures, Place
from isocenter.stages.enrol.registrations import Registrations

MASK_FORMATS = frozenset(FORMATS.names()) & frozenset(ANNOTATIONS.names())
# Formats that are read where no format is asked for.
_USUAL = {"rtstruct", "dicom-seg"}
# Modalities (PS3.3 C.7.3.1.1.1) of objects that hold annotations, and their formats.
_OF_MODALITY = {"RTSTRUCT": "rtstruct", "SEG": "dicom-seg", "SR": "dicom-report"}
Choose = Callable[[Sequence[Stack], str], Stack | None]
OnGrid = Callable[[str], list[Stack]]


@dataclass(slots=True)
class _Group:
    """What one reader drew on one image: keys with their labels, kinds and slices, and slices that were looked at."""

    stack: Stack
    parts: list[tuple[Part, str, str]] = field(default_factory=list)
    looked_at: set[str] = field(default_factory=set)


class ObjectLinker:
    """Links objects to stacks.

    Args:
        inputs: The tables.
        eligible: Stacks that are in a case.
        naming: What reads names.
        names: The workspace's pseudonyms.
        choose: What takes the one image of several, or tells that there is none or more.
        on_grid: What finds images of a file's own subject and grid.
    """

    def __init__(
        self,
        inputs: Inputs,
        eligible: Mapping[str, Stack],
        naming: Naming,
        names: Pseudonyms,
        *,
        choose: Choose,
        on_grid: OnGrid,
    ) -> None:
        self._inputs, self._eligible, self._naming, self._names = inputs, eligible, naming, names
        self._choose, self._on_grid = choose, on_grid
        self.issues = naming.issues
        self._by_frame: dict[str, list[Stack]] = {}
        self._by_subject: dict[tuple[int, str], list[Stack]] = {}
        for stack in eligible.values():
            if stack.frame_of_reference:
                self._by_frame.setdefault(stack.frame_of_reference, []).append(stack)
            self._by_subject.setdefault((stack.source, stack.subject), []).append(stack)
        self._pictures = Pictures(inputs, eligible, inputs.objects)
        self._frames = Registrations.read(inputs.files, inputs.roots, names)
        self.issues += self._frames.issues

    def link(self, source: AnnotationSource) -> list[PlannedAnnotation]:
        """The annotations of all objects that a source asks for."""
        images = images_by_parts(self._inputs, self._eligible, source) if source.image else {}
        self._tell_broken(source, images)
        out: list[PlannedAnnotation] = []
        for found in self._inputs.objects:
            if self._is_asked(found, source):
                by_template = images.get(self._parts_of_path(found, source), [])
                out += self._link(found, source, by_template)
        return out

    def _is_asked(self, found: AnnotationObject, source: AnnotationSource) -> bool:
        # what does not say itself on which image it was drawn is read where its format is asked for
        is_format = found.format == source.format or (not source.format and found.format in _USUAL)
        return is_format and is_on_path(source, self._inputs.files[found.file_id].path)

    def _link(
        self, found: AnnotationObject, source: AnnotationSource, by_template: Sequence[Stack]
    ) -> list[PlannedAnnotation]:
        parts, annotation_id = parts_of(found), self._names.of("ann", found.file_id)
        pictures = {p.picture for p in parts} | set(found.looked_at)
        is_in_pictures = bool(pictures - {""})
        whole = [] if is_in_pictures and "" not in pictures else self._stacks_of(found, by_template)
        places = {p: self._pictures.find(p, found) for p in sorted(pictures - {""})}
        if len(by_template) == 1 and is_in_pictures and not any(places.values()):
            places = {p: [Place(by_template[0], "", "", 1, is_whole=True)] for p in places}
        near = [p.stack for each in places.values() for p in each]
        labels, several = self._naming.read(
            found.file_id, parts, self._naming.identifiers_of(found, [*whole, *near]), form=found.format
        )
        groups: dict[tuple[str, str], _Group] = {}
        if not is_in_pictures or whole:
            stack = self._choose(whole, annotation_id)
            if stack is not None:
                own = [p for p in parts if not p.picture]
                for part in own:
                    _group(groups, stack, part.rater).parts.append((part, labels.get(part.key, ""), ""))
                if not own:
                    _group(groups, stack, "")
        if is_in_pictures:
            self._add_pictures(groups, parts, labels, found, places, annotation_id)
        for stack in {g.stack.id: g.stack for g in groups.values()}.values():
            tell_regions(self.issues, stack, several)
            if _is_of_another(found, stack):
                self.issues.append(because("enrol/other-subject", target=stack.id, measured=annotation_id))
        is_alone = len(groups) < 2 and not any(p.rater for p in parts)
        return [
            planned
            for (stack_id, rater), group in sorted(groups.items())
            for planned in self._planned(
                found,
                source,
                group,
                annotation_id if is_alone else self._names.of("ann", found.file_id, stack_id, rater),
                self._rater(source, found.file_id, rater),
            )
        ]

    def _add_pictures(
        self,
        groups: dict[tuple[str, str], _Group],
        parts: Sequence[Part],
        labels: Mapping[int, str],
        found: AnnotationObject,
        places: Mapping[str, list[Place]],
        annotation_id: str,
    ) -> None:
        """What was drawn on single pictures, each of which is a slice of an image, or an image."""
        known: dict[str, Place] = {}
        lost = 0
        for picture, each in places.items():
            stacks = list({p.stack.id: p.stack for p in each}.values())
            if not stacks:
                lost += 1
            elif (stack := self._choose(stacks, annotation_id)) is not None:
                on = [p for p in each if p.stack.id == stack.id] or each[:1]
                if len({(p.file, p.number) for p in on}) == 1 and (
                    on[0].slice == "" or stack.instances.count(on[0].slice) == 1
                ):
                    known[picture] = Place(stack, on[0].slice, on[0].file, on[0].number, on[0].is_whole)
                else:
                    measured = "one frame of several"
                    self.issues.append(
                        because("enrol/unreadable-annotation", target=stack.id, measured=measured)
                    )
        if lost:
            measured = f"{lost} of {len(places)} pictures"
            self.issues.append(
                because("enrol/annotation-of-nothing", target=annotation_id, measured=measured)
            )
        for part in parts:
            if (place := known.get(part.picture)) is not None:
                group = _group(groups, place.stack, part.rater)
                group.parts.append((part, labels.get(part.key, ""), place.slice))
                group.looked_at |= {place.slice} - {""}
        for picture in found.looked_at:
            if (place := known.get(picture)) is not None:
                raters = sorted({r for s, r in groups if s == place.stack.id}) or [""]
                for rater in raters:
                    group = _group(groups, place.stack, rater)
                    group.looked_at |= {place.slice} - {""}

    def _planned(
        self, found: AnnotationObject, source: AnnotationSource, group: _Group, annotation_id: str, rater: str
    ) -> list[PlannedAnnotation]:
        """One plan for what was drawn, or was looked for and not found, and one for what is told of the whole image."""
        has_drawn = any(label and p.shape != "labels" for p, label, _ in group.parts)
        told = sorted({label for p, label, _ in group.parts if label and p.shape == "labels"})
        empty = PlannedAnnotation(
            id=annotation_id, kind="labels", format=found.format, rater=rater, on=group.stack.id
        )
        out = []
        if told:
            name = f"{annotation_id}-labels" if has_drawn else annotation_id
            states = tuple("marked" for _ in told)
            out.append(replace(empty, id=name, labels=tuple(told), states=states))
        sought = self._naming.vocabulary.names if source.absent is Absent.NEGATIVE and found.looked_at else ()
        if sought and not group.parts:
            slices = tuple(sorted(group.looked_at))
            out.append(replace(empty, kind="boxes", searched=sought, searched_slices=slices))
        elif has_drawn or not told:
            out.append(self._drawn(found, source, group, empty, sought))
        return out

    def _drawn(
        self,
        found: AnnotationObject,
        source: AnnotationSource,
        group: _Group,
        empty: PlannedAnnotation,
        labels: tuple[str, ...],
    ) -> PlannedAnnotation:
        """The plan for what is read from the file itself."""
        drawn = [(p, label, s) for p, label, s in group.parts if label and p.shape != "labels"]
        kinds = {p.shape for p, _, _ in drawn or group.parts} - {"labels"}
        is_all = source.covers == "image"  # who drew on some slices had looked at them all
        looked_at = set(group.stack.instances) if is_all else group.looked_at
        on_slices = any(s for _, _, s in drawn) or bool(group.looked_at)
        return replace(
            empty,
            kind=_kind(kinds),
            file_id=found.file_id,
            keys=tuple(p.key for p, _, _ in drawn),
            labels=tuple(label for _, label, _ in drawn),
            by_area=source.inside == "area",
            fraction=source.fraction,
            slices=tuple(s for _, _, s in drawn) if on_slices else (),
            searched_slices=tuple(sorted(looked_at)) if on_slices else (),
            searched=labels,
            covers=source.covers or ("slices" if on_slices else "image"),
            other_grid=source.align,
            accept=source.accept,
            is_in_other_frame=self._frames.differ(found, group.stack),
            registration=self._frames.numbers(found, group.stack),
        )

    def _stacks_of(self, found: AnnotationObject, by_template: Sequence[Stack]) -> list[Stack]:
        inputs = self._inputs
        for keys, stacks in (
            (found.referenced_instance_uids, inputs.stacks_of_instance),
            (found.referenced_series_uids, inputs.stacks_of_series),
        ):
            ids = {s for key in keys for s in stacks.get(key, ())}
            if ids:  # it says what it was drawn on; if that is not in a case, it belongs to nothing here
                named = [self._eligible[i] for i in sorted(ids) if i in self._eligible]
                return named if len(named) < 2 else ([s for s in named if _lies_in(found, s)] or named)
        if by_template:
            return list(by_template)
        if found.format in MASK_FORMATS:
            return self._on_grid(found.file_id)
        uid = found.frame_of_reference_uid
        near = self._by_frame.get(self._names.of("for", uid), []) if uid else []
        if not near and (over := self._frames.moved(found, self._by_frame)):
            return [s for s, there in over if _lies_in(there, s) and not _is_of_another(found, s)]
        if found.format in drawing_kinds() and not near and found.subject:
            near = self._by_subject.get((found.source, found.subject), [])
        own = [s for s in near if s.subject == found.subject]
        near = own or [s for s in near if not _is_of_another(found, s)]
        lies = _lies_on if found.format in _USUAL else _lies_in
        return sorted((s for s in near if lies(found, s)), key=lambda s: s.id)

    def _parts_of_path(self, found: AnnotationObject, source: AnnotationSource) -> tuple[int | str, ...]:
        parts = Template(source.path).match(self._inputs.files[found.file_id].path) if source.path else None
        return (found.source, *((parts or {})[n] for n in shared_parts(source))) if parts else ()

    def _rater(self, source: AnnotationSource, file_id: str, rater: str) -> str:
        """Pseudonym of who drew something: as the config says, else as the file says."""
        if source.rater or not rater:
            return rater_of(self._inputs, self._names, source, file_id)
        return self._names.of("rat", rater)

    def _tell_broken(
        self, source: AnnotationSource, images: Mapping[tuple[int | str, ...], list[Stack]]
    ) -> None:
        """Files that cannot be read may have something on an image: nobody must take it for one without."""
        targets: set[str] = set()
        for found in self._inputs.broken:
            if self._is_asked(found, source):
                near = images.get(self._parts_of_path(found, source), [])
                near = near or self._by_subject.get((found.source, found.subject), [])
                if not found.subject and not near:
                    near = [s for s in self._eligible.values() if s.source == found.source]
                targets |= {s.id for s in near}
        wanted = {source.format} if source.format else _USUAL
        for row in self._inputs.instances.values():
            if row.kind == "dicom-unreadable" and _OF_MODALITY.get(row.modality or "") in wanted:
                targets |= (
                    set(self._inputs.stacks_of_study.get(row.study_uid or "", ())) & self._eligible.keys()
                )
        self.issues += [
            because("enrol/unreadable-annotation", target=t, measured=source.format or "objects")
            for t in sorted(targets)
        ]


def tell_regions(issues: list[Issue], stack: Stack, several: Iterable[str]) -> None:
    """Regions that a pattern unites may be an old version beside the one that is meant."""
    issues += [
        because("enrol/several-regions", target=stack.id, measured=text, expected="1") for text in several
    ]


def is_on_path(source: AnnotationSource, path: str) -> bool:
    """Whether a file is one that a source speaks of."""
    return not source.path or Template(source.path).match(path) is not None


def shared_parts(source: AnnotationSource) -> list[str]:
    """Named parts that the templates of annotations and of their images have in common."""
    names = Template(source.image).names
    return [n for n in Template(source.path).names if n in names]


def images_by_parts(
    inputs: Inputs, eligible: Mapping[str, Stack], source: AnnotationSource
) -> dict[tuple[int | str, ...], list[Stack]]:
    """Images by source and by the named parts that their template shares with that of the annotations."""
    out: dict[tuple[int | str, ...], list[Stack]] = {}
    image, shared = Template(source.image), shared_parts(source)
    for stack in eligible.values() if shared else ():
        if (parts := image.match(inputs.path(stack))) is not None:
            out.setdefault((stack.source, *(parts[n] for n in shared)), []).append(stack)
    return out


def rater_of(
    inputs: Inputs,
    names: Pseudonyms,
    source: AnnotationSource,
    file_id: str,
    parts: dict[str, str] | None = None,
) -> str:
    """Pseudonym of who marked a file, as the config says; "" where nobody is named."""
    if not source.rater:
        return ""
    if parts is None and source.path:
        parts = Template(source.path).match(inputs.files[file_id].path)
    return names.of("rat", Template(source.rater).fill({"file": file_id, **(parts or {})}))


def _group(groups: dict[tuple[str, str], _Group], stack: Stack, rater: str) -> _Group:
    return groups.setdefault((stack.id, rater), _Group(stack))


def _kind(kinds: set[str]) -> str:
    """One word for what is in a file: contours where there are any, else what there is."""
    if kinds == {"mask"}:
        return "mask"
    return next((k for k in ("boxes", "points") if kinds == {k}), "contours")


def _is_of_another(found: AnnotationObject, stack: Stack) -> bool:
    return bool(found.subject and stack.subject) and found.subject != stack.subject


def _places(found: AnnotationObject, stack: Stack) -> NDArray[np.float64] | None:
    """Sampled points of an object as voxels (i, j, k) of a stack; None where there are none."""
    if len(stack.affine) != 16 or not found.samples_mm:
        return None
    return stack.grid.to_voxel(np.array(found.samples_mm).reshape(-1, 3))


def _lies_on(found: AnnotationObject, stack: Stack) -> bool:
    """Whether all sampled contour points lie on slices of a stack, within a tenth of their distance."""
    voxel = _places(found, stack)
    if voxel is None:
        return False
    k = voxel[:, 2]
    inside = (k > -0.5) & (k < stack.shape[0] - 0.5)
    return bool(inside.all() and (np.abs(k - np.rint(k)) < 0.1).all())


def _lies_in(found: AnnotationObject, stack: Stack) -> bool:
    """Whether all sampled points lie in a stack."""
    voxel = _places(found, stack)
    if voxel is None:
        return False
    return bool(((voxel > -0.5) & (voxel < np.array(stack.shape[::-1]) - 0.5)).all())
