"""Link: which annotation files belong to which stack.

Objects find their images by themselves (see `objects`), label maps by a path template, by subject and grid, or by the
layout of their source; what is left goes to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from isocenter.base.errors import FormatError
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.base.templates import Template
from isocenter.model.annotation import Part
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import FileRow, LayoutRow, PlannedAnnotation, Stack
from isocenter.model.vocabulary import Vocabulary
from isocenter.stages.enrol.candidates import NO_SETS, grids_match
from isocenter.stages.enrol.inputs import Inputs
from isocenter.stages.enrol.label_names import LabelNames
from isocenter.stages.enrol.naming import Met, Naming, parts_of
from isocenter.stages.enrol.objects import (
    MASK_FORMATS,
    ObjectLinker,
    images_by_parts,
    rater_of,
    shared_parts,
    tell_regions,
)
from isocenter.stages.enrol.options import AnnotationKind, AnnotationSource

# How far back an issue is looked for that would be told again: files with many pictures ask for each of them.
_LATELY = 64


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
        self._values = values
        self._names = names
        self._speakers = speakers
        self._segments = {o.file_id: o for o in inputs.objects if o.format in MASK_FORMATS}
        self.issues: list[Issue] = []
        self._by_subject: dict[tuple[int, str], list[Stack]] = {}
        for stack in eligible.values():
            self._by_subject.setdefault((stack.source, stack.subject), []).append(stack)
        self._naming = Naming(inputs, vocabulary, names, self.issues)
        self._objects = ObjectLinker(
            inputs, eligible, self._naming, names, choose=self._the_one, on_grid=self._images_on_grid
        )

    @property
    def met(self) -> Met:
        """All names that were met, and how often."""
        return self._naming.met

    def link(self, source: AnnotationSource, number: int = 0) -> list[PlannedAnnotation]:
        """The annotations of one source, each with the stack it is on; issues are kept in `issues`.

        Args:
            source: What the config says of it.
            number: Its place in the config.
        """
        self._naming.source = number
        if source.kind is AnnotationKind.OBJECTS:
            return self._objects.link(source)
        if source.kind is AnnotationKind.MASKS:
            return self._link_masks(source)
        return self._link_layout(source)

    def _the_one(self, stacks: Sequence[Stack], annotation_id: str) -> Stack | None:
        """The image that an annotation is on; none or several are told, of the annotation and of each image."""
        if len(stacks) == 1:
            return stacks[0]
        if len(ids := {self._speakers.get(s.id, s.id) for s in stacks}) == 1:
            return self._eligible[ids.pop()]
        rule = "enrol/ambiguous-annotation" if stacks else "enrol/annotation-of-nothing"
        measured = f"{len(stacks)} images"
        told = [because(rule, target=t, measured=measured) for t in (annotation_id, *(s.id for s in stacks))]
        self.issues += [i for i in told if i not in self.issues[-_LATELY:]]
        return None

    def _link_masks(self, source: AnnotationSource) -> list[PlannedAnnotation]:
        template, shared = Template(source.path), shared_parts(source)
        images = images_by_parts(self._inputs, self._eligible, source) if source.image else None
        inputs, out = self._inputs, []
        names = LabelNames(source, inputs.base, inputs.roots, inputs.files) if source.names else None
        for file_id, row in inputs.files.items():
            parts = template.match(row.path)
            if parts is None:
                continue
            named = [] if images is None else images.get((row.source, *(parts[n] for n in shared)), [])
            if row.kind not in MASK_FORMATS or self._inputs.instances[file_id].frames > 1:
                self._tell_unreadable(row, named)
                continue
            stacks = self._images_on_grid(file_id) if images is None else named
            values = source.values or self._values
            if names is not None and file_id not in self._segments:
                try:
                    values = self._named_values(names, row, parts, stacks)
                except FormatError:
                    self._tell_unreadable(row, stacks, "no label table")
                    continue
            out += self._planned_mask(file_id, stacks, values, source, parts)
        return out

    def _named_values(
        self, names: LabelNames, row: FileRow, parts: Mapping[str, str], stacks: Sequence[Stack]
    ) -> dict[int, str]:
        """Mask value to label, by the names that a label table gives."""
        own = self._inputs.stack_of_file.get(row.file_id)
        subjects = {s.subject for s in (*stacks, own) if s is not None}
        found = names.of(row.source, parts)
        values, several = self._naming.read(
            row.file_id, found, self._naming.identifiers(subjects), form="label table"
        )
        for stack in stacks:
            tell_regions(self.issues, stack, several)
        return values

    def _tell_unreadable(self, row: FileRow, images: Sequence[Stack], why: str = "") -> None:
        """A reader's mask that cannot be read leaves its case without that reader: a person must know."""
        is_several = row.kind in MASK_FORMATS  # and none of them is the mask
        if why or is_several or row.kind.endswith(("unreadable", "empty")):
            measured = why or ("several volumes" if is_several else row.kind)
            targets = [s.id for s in images] or [self._names.of("ann", row.file_id)]
            self.issues += [
                because("enrol/unreadable-annotation", target=t, measured=measured) for t in targets
            ]

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
            if row.role != "mask" or self._inputs.files[file_id].kind not in MASK_FORMATS:
                continue
            stacks = by_case.get((self._inputs.files[file_id].source, row.case), [])[:1]
            values = source.values or self._layout_values(file_id, row, stacks)
            out += self._planned_mask(file_id, stacks, values, source, {})
        return out

    def _layout_values(self, file_id: str, row: LayoutRow, stacks: Iterable[Stack]) -> dict[int, str]:
        """Mask value to label, by the names that the layout's description gives."""
        pairs = zip(row.values, row.labels, strict=True)
        named = [(v, n) for v, n in pairs if v or self._naming.vocabulary.label_of(n) is not None]
        own = self._inputs.stack_of_file.get(file_id)
        subjects = {s.subject for s in (*stacks, own) if s is not None}
        known = self._naming.identifiers(subjects) | ({row.subject} - {""})
        out, several = self._naming.read(
            file_id, [Part(key=v, name=n) for v, n in named], known, form="layout"
        )
        for stack in stacks:
            tell_regions(self.issues, stack, several)
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
            values, several = self._naming.read(
                file_id, parts_of(found), self._naming.identifiers(subjects), form=found.format
            )
            tell_regions(self.issues, stack, several)
        keys = sorted(values)
        return [
            PlannedAnnotation(
                id=annotation_id,
                kind="mask",
                format=self._inputs.files[file_id].kind,
                rater=rater_of(self._inputs, self._names, source, file_id, parts),
                on=stack.id,
                file_id=file_id,
                keys=tuple(keys),
                labels=tuple(values[k] for k in keys),
                covers=source.covers or "image",
                other_grid=source.align,
                accept=source.accept,
            )
        ]
