"""Link: which annotation files belong to which stack.

Order of evidence: SOP references, referenced series, frame of reference with contours that lie on the slices
of exactly one stack, a declared path template; what is left goes to a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.base.templates import Template
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.image import FORMATS
from isocenter.model.annotation import Part
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, FileRow, LayoutRow, PlannedAnnotation, Stack
from isocenter.model.vocabulary import Vocabulary, scrub
from isocenter.stages.enrol.candidates import NO_SETS, grids_match
from isocenter.stages.enrol.inputs import Inputs
from isocenter.stages.enrol.options import AnnotationKind, AnnotationSource

_MASK_FORMATS = set(FORMATS.names()) & set(ANNOTATIONS.names())


class Linker:
    """Links annotation files to stacks.

    Args:
        inputs: The tables.
        eligible: Stacks that are in a case; nothing is linked to any other.
        vocabulary: The labels.
        values: Mask value to label, where a source does not say otherwise.
        names: The workspace's pseudonyms.
        speakers: Of the volumes of one set in one case, the one that annotations of the set go to.
    """

    def __init__(
        self,
        inputs: Inputs,
        eligible: Mapping[str, Stack],
        vocabulary: Vocabulary,
        values: Mapping[int, str],
        names: Pseudonyms,
        speakers: Mapping[str, str] = NO_SETS,
    ) -> None:
        self._inputs = inputs
        self._eligible = eligible
        self._vocabulary = vocabulary
        self._values = values
        self._names = names
        self._speakers = speakers
        self._segments = {o.file_id: o for o in inputs.objects if "mask" in o.shapes}
        self.issues: list[Issue] = []
        self._by_frame: dict[str, list[Stack]] = {}
        self._by_subject: dict[tuple[int, str], list[Stack]] = {}
        for stack in eligible.values():
            if stack.frame_of_reference:
                self._by_frame.setdefault(stack.frame_of_reference, []).append(stack)
            self._by_subject.setdefault((stack.source, stack.subject), []).append(stack)

    def link(self, source: AnnotationSource) -> list[PlannedAnnotation]:
        """The annotations of one source, each with the stack it is on; issues are kept in `issues`."""
        if source.kind is AnnotationKind.OBJECTS:
            return [a for o in self._objects(source) for a in self._link_object(o, source)]
        if source.kind is AnnotationKind.MASKS:
            return self._link_masks(source)
        return self._link_layout(source)

    def _objects(self, source: AnnotationSource) -> Iterable[AnnotationObject]:
        template = Template(source.path) if source.path else None
        for found in self._inputs.objects:
            is_on_path = (
                template is None or template.match(self._inputs.files[found.file_id].path) is not None
            )
            # what does not say itself on which image it was drawn is read where its format is asked for
            is_asked = found.format == source.format or (not source.format and not _is_silent(found))
            if is_on_path and is_asked:
                yield found

    def _link_object(self, found: AnnotationObject, source: AnnotationSource) -> list[PlannedAnnotation]:
        stacks = self._stacks_of(found)
        own = {i for i in (found.patient_id, found.patient_name, found.birth_date) if i}
        subjects = {found.subject, *(s.subject for s in stacks)}
        labels, several = self._read_names(found.file_id, _parts(found), self._identifiers(subjects) | own)
        annotation_id = self._names.of("ann", found.file_id)
        stack = self._the_one(stacks, annotation_id)
        if stack is None:
            return []
        self._tell_regions(stack, several)
        if _is_of_another(found, stack):
            self.issues.append(because("enrol/other-subject", target=stack.id, measured=annotation_id))
        return [
            PlannedAnnotation(
                id=annotation_id,
                kind="mask" if set(found.shapes) == {"mask"} else "contours",
                format=found.format,
                rater=self._rater(source, found.file_id),
                on=stack.id,
                file_id=found.file_id,
                keys=tuple(labels),
                labels=tuple(labels.values()),
                by_area=source.inside == "area",
                fraction=source.fraction,
            )
        ]

    def _stacks_of(self, found: AnnotationObject) -> list[Stack]:
        inputs = self._inputs
        for keys, stacks in (
            (found.referenced_instance_uids, inputs.stacks_of_instance),
            (found.referenced_series_uids, inputs.stacks_of_series),
        ):
            ids = {s for key in keys for s in stacks.get(key, ())}
            if ids:  # it says what it was drawn on; if that is not in a case, it belongs to nothing here
                return self._in_cases(ids)
        if _is_silent(found):
            return self._images_on_grid(found.file_id)
        uid = found.frame_of_reference_uid
        near = self._by_frame.get(self._names.of("for", uid), []) if uid else []
        own = [s for s in near if s.subject == found.subject]
        near = own or [s for s in near if not _is_of_another(found, s)]
        return sorted((s for s in near if _lies_on(found, s)), key=lambda s: s.id)

    def _the_one(self, stacks: Sequence[Stack], annotation_id: str) -> Stack | None:
        """The image that an annotation is on; none or several are told, of the annotation and of each image."""
        if len(stacks) == 1:
            return stacks[0]
        if len(ids := {self._speakers.get(s.id, s.id) for s in stacks}) == 1:
            return self._eligible[ids.pop()]
        rule = "enrol/ambiguous-annotation" if stacks else "enrol/annotation-of-nothing"
        measured = f"{len(stacks)} images"
        self.issues += [
            because(rule, target=t, measured=measured) for t in (annotation_id, *(s.id for s in stacks))
        ]
        return None

    def _in_cases(self, ids: Iterable[str]) -> list[Stack]:
        return [self._eligible[i] for i in sorted(set(ids)) if i in self._eligible]

    def _read_names(
        self, file_id: str, parts: Iterable[Part], identifiers: Iterable[str]
    ) -> tuple[dict[int, str], list[str]]:
        """Key to label, and labels of which several keys fit a pattern; names of no label are told, scrubbed."""
        out: dict[int, str] = {}
        by_pattern = set()
        for part in parts:
            key, name = part.key, part.name
            label, is_exact = self._vocabulary.match_part(part)
            if label is not None:
                out[key] = label
                by_pattern |= set() if is_exact else {label}
            else:
                text = scrub(name, identifiers)
                target = self._names.of("ann", file_id)
                self.issues.append(because("enrol/unmapped-label", target=target, measured=text[:64]))
        counts = Counter(out.values())
        several = [f"{n} for {label}" for label, n in counts.items() if n > 1 and label in by_pattern]
        return out, sorted(several)

    def _identifiers(self, subjects: Iterable[str]) -> set[str]:
        return {i for s in subjects for i in self._inputs.identifiers.get(s, ())}

    def _tell_regions(self, stack: Stack, several: Iterable[str]) -> None:
        """Regions that a pattern unites may be an old version beside the one that is meant."""
        self.issues += [
            because("enrol/several-regions", target=stack.id, measured=text, expected="1") for text in several
        ]

    def _link_masks(self, source: AnnotationSource) -> list[PlannedAnnotation]:
        template, shared = Template(source.path), _shared(source)
        images = self._images_by_parts(Template(source.image), shared) if source.image else None
        out = []
        for file_id, row in self._inputs.files.items():
            parts = template.match(row.path)
            if parts is None:
                continue
            named = [] if images is None else images.get((row.source, *(parts[n] for n in shared)), [])
            if row.kind not in _MASK_FORMATS or self._inputs.instances[file_id].frames > 1:
                self._tell_unreadable(row, named)
                continue
            stacks = self._images_on_grid(file_id) if images is None else named
            out += self._planned_mask(file_id, stacks, source.values or self._values, source, parts)
        return out

    def _tell_unreadable(self, row: FileRow, images: Sequence[Stack]) -> None:
        """A reader's mask that cannot be read leaves its case without that reader: a person must know."""
        is_several = row.kind in _MASK_FORMATS  # and none of them is the mask
        if is_several or row.kind.endswith(("unreadable", "empty")):
            measured = "several volumes" if is_several else row.kind
            targets = [s.id for s in images] or [self._names.of("ann", row.file_id)]
            self.issues += [
                because("enrol/unreadable-annotation", target=t, measured=measured) for t in targets
            ]

    def _images_by_parts(
        self, image: Template, shared: Sequence[str]
    ) -> dict[tuple[int | str, ...], list[Stack]]:
        """Images by source and by the named parts that their template shares with that of the masks."""
        out: dict[tuple[int | str, ...], list[Stack]] = {}
        for stack in self._eligible.values() if shared else ():
            if (parts := image.match(self._inputs.path(stack))) is not None:
                out.setdefault((stack.source, *(parts[n] for n in shared)), []).append(stack)
        return out

    def _images_on_grid(self, file_id: str) -> list[Stack]:
        """Images of the mask's own subject that have its grid."""
        mask, own = self._inputs.instances[file_id], self._inputs.stack_of_file.get(file_id)
        near = self._by_subject.get((mask.source, own.subject), []) if own is not None else []
        is_part = file_id in self._segments
        return [s for s in near if grids_match(s, mask.shape, mask.affine, is_part=is_part)]

    def _link_layout(self, source: AnnotationSource) -> list[PlannedAnnotation]:
        by_case: dict[tuple[int, str], list[Stack]] = {}
        for stack in self._eligible.values():
            by_case.setdefault((stack.source, stack.layout_case), []).append(stack)
        out = []
        for file_id, row in sorted(self._inputs.layout.items()):
            if row.role != "mask" or self._inputs.files[file_id].kind not in _MASK_FORMATS:
                continue
            stacks = by_case.get((self._inputs.files[file_id].source, row.case), [])[:1]
            values = source.values or self._layout_values(file_id, row, stacks)
            out += self._planned_mask(file_id, stacks, values, source, {})
        return out

    def _layout_values(self, file_id: str, row: LayoutRow, stacks: Iterable[Stack]) -> dict[int, str]:
        """Mask value to label, by the names that the layout's description gives."""
        pairs = zip(row.values, row.labels, strict=True)
        named = [(v, n) for v, n in pairs if v or self._vocabulary.label_of(n) is not None]
        own = self._inputs.stack_of_file.get(file_id)
        subjects = {s.subject for s in (*stacks, own) if s is not None}
        known = self._identifiers(subjects) | ({row.subject} - {""})
        out, several = self._read_names(file_id, [Part(key=v, name=n) for v, n in named], known)
        for stack in stacks:
            self._tell_regions(stack, several)
        return out

    def _planned_mask(
        self,
        file_id: str,
        stacks: Sequence[Stack],
        values: Mapping[int, str],
        source: AnnotationSource,
        parts: dict[str, str],
    ) -> list[PlannedAnnotation]:
        annotation_id = self._names.of("ann", file_id)
        stack = self._the_one(stacks, annotation_id)
        if stack is None:
            return []
        if (found := self._segments.get(file_id)) is not None:
            # the values of segments change when one is deleted: they go by name and code alone
            subjects = {stack.subject, found.subject}
            values, several = self._read_names(file_id, _parts(found), self._identifiers(subjects))
            self._tell_regions(stack, several)
        keys = sorted(values)
        return [
            PlannedAnnotation(
                id=annotation_id,
                kind="mask",
                format=self._inputs.files[file_id].kind,
                rater=self._rater(source, file_id, parts),
                on=stack.id,
                file_id=file_id,
                keys=tuple(keys),
                labels=tuple(values[k] for k in keys),
            )
        ]

    def _rater(self, source: AnnotationSource, file_id: str, parts: dict[str, str] | None = None) -> str:
        """Pseudonym of who marked a file; "" where nobody is named."""
        if not source.rater:
            return ""
        if parts is None and source.path:
            parts = Template(source.path).match(self._inputs.files[file_id].path)
        return self._names.of("rat", Template(source.rater).fill({"file": file_id, **(parts or {})}))


def _parts(found: AnnotationObject) -> list[Part]:
    """What is in an object."""
    none = ("",) * len(found.numbers)
    columns = (found.numbers, found.labels, found.codes or none, found.ids or none)
    return [Part(key=k, name=n, code=c, id=i) for k, n, c, i in zip(*columns, strict=True)]


def _is_silent(found: AnnotationObject) -> bool:
    """Whether a file is of a format that has no words for the image it was drawn on: a .seg.nrrd."""
    return found.format in _MASK_FORMATS


def _shared(source: AnnotationSource) -> list[str]:
    """Named parts that the templates of masks and of their images have in common."""
    names = Template(source.image).names
    return [n for n in Template(source.path).names if n in names]


def _is_of_another(found: AnnotationObject, stack: Stack) -> bool:
    return bool(found.subject and stack.subject) and found.subject != stack.subject


def _lies_on(found: AnnotationObject, stack: Stack) -> bool:
    """Whether all sampled contour points lie on slices of a stack, within a tenth of their distance."""
    if len(stack.affine) != 16 or not found.samples_mm:
        return False
    points = np.array(found.samples_mm).reshape(-1, 3)
    voxel = stack.grid.to_voxel(points)
    k = voxel[:, 2]
    inside = (k > -0.5) & (k < stack.shape[0] - 0.5)
    return bool(inside.all() and (np.abs(k - np.rint(k)) < 0.1).all())
