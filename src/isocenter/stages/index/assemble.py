"""From scanned files to series and stacks, with what was dropped on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.formats.dataset import DatasetRow
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, FileRow, Instance, LayoutRow, Series, Stack
from isocenter.stages.index.attributes import attributes_of, gather, without_identifiers
from isocenter.stages.index.duplicates import find_duplicates
from isocenter.stages.index.losses import REFUSED, Losses
from isocenter.stages.index.rows import SeriesMembers, series_key, series_of, stacks_of
from isocenter.stages.index.scan import Scanned
from isocenter.stages.index.subjects import Identity, SubjectFinder

_IMAGES = {"dicom-image", "nifti", "nrrd"}


@dataclass(slots=True)
class Assembled:
    """Everything the index makes of the scanned files."""

    files: list[FileRow] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    annotations: list[AnnotationObject] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    stacks: list[Stack] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def assemble(
    scanned: Iterable[Scanned],
    finders: Sequence[SubjectFinder],
    layout: Mapping[str, DatasetRow],
    roots: Sequence[Path],
    names: Pseudonyms,
) -> Assembled:
    """Group the images into series and stacks; the result does not depend on the order of the files."""
    out = Assembled()
    for found in scanned:
        out.files.append(found.row)
        if found.issue is not None:
            out.issues.append(found.issue)
        if found.instance is not None:
            out.instances.append(_with_layout(found.instance, layout.get(found.row.file_id)))
        if found.annotation is not None:
            out.annotations.append(found.annotation)
    files = {f.file_id: f for f in out.files}
    out.issues += _duplicates(out, files, roots)
    dropped = {i.target for i in out.issues}
    identities = _identities(out, files, finders, layout)
    out.annotations = [replace(a, subject=identities[a.file_id].subject) for a in out.annotations]
    _group(out, files, identities, layout, dropped, names)
    return out


def _with_layout(row: Instance, given: DatasetRow | None) -> Instance:
    return replace(row, modality=given.modality) if given and given.modality and not row.modality else row


def _duplicates(out: Assembled, files: Mapping[str, FileRow], roots: Sequence[Path]) -> list[Issue]:
    whole = (r for r in out.instances if files[r.file_id].kind != REFUSED)
    objects = [(r.sop_instance_uid, r.file_id) for r in whole if r.sop_instance_uid]
    objects += [(a.sop_instance_uid, a.file_id) for a in out.annotations if a.sop_instance_uid]
    paths = {f.file_id: roots[f.source] / f.path for f in files.values()}
    return find_duplicates(objects, files, paths)


def _identities(
    out: Assembled,
    files: Mapping[str, FileRow],
    finders: Sequence[SubjectFinder],
    layout: Mapping[str, DatasetRow],
) -> dict[str, Identity]:
    rows: list[Instance | AnnotationObject] = [*out.instances, *out.annotations]
    return {
        row.file_id: finders[row.source].find(
            files[row.file_id].path, row, layout[row.file_id].subject if row.file_id in layout else ""
        )
        for row in rows
    }


def _group(
    out: Assembled,
    files: Mapping[str, FileRow],
    identities: Mapping[str, Identity],
    layout: Mapping[str, DatasetRow],
    dropped: set[str],
    names: Pseudonyms,
) -> None:
    groups: dict[tuple[str, ...], list[Instance]] = {}
    for row in out.instances:
        if files[row.file_id].kind in _IMAGES and row.file_id not in dropped:
            groups.setdefault(series_key(row), []).append(row)
    copies = {i.target for i in out.issues if i.rule == "index/duplicate-object"}
    images = [r for r in out.instances if files[r.file_id].kind in {*_IMAGES, REFUSED}]
    losses = Losses(images, files, dropped - copies)
    for rows in groups.values():
        rows.sort(key=lambda r: (r.sop_instance_uid or "", r.file_id))
    known = _personal([groups[k] for k in sorted(groups)], identities)
    known.identifiers = _identifiers([*out.instances, *out.annotations], identities)
    for key, rows in sorted(groups.items()):
        members = _members(rows, identities, known, layout)
        stacks = stacks_of(members, names)
        out.series.append(series_of(members, stacks))
        out.stacks += stacks
        out.issues += _group_issues(stacks, losses.of_series(key), losses)
    out.issues += known.issues
    out.series.sort(key=lambda s: s.id)
    out.stacks.sort(key=lambda s: s.id)


def _group_issues(stacks: Sequence[Stack], of_series: int, losses: Losses) -> list[Issue]:
    out = []
    for stack in stacks:
        if not stack.subject:
            out.append(because("index/no-subject", target=stack.id))
        if len(stacks) > 1 and len(stack.files) > 1:
            out.append(
                because("index/series-split", target=stack.id, measured=f"{len(stacks)} stacks", expected="1")
            )
        if lost := of_series + losses.beside(stack):
            out.append(because("index/lost-slices", target=stack.id, measured=f"{lost} files", expected="0"))
    return out


@dataclass(slots=True)
class _Known:
    """Personal attributes by study and by subject, where headers disagree, and what a subject goes by."""

    studies: dict[str, dict[str, str]]
    subjects: dict[str, dict[str, str]]
    issues: list[Issue]
    identifiers: dict[str, set[str]] = field(default_factory=dict)


def _personal(groups: Iterable[list[Instance]], identities: Mapping[str, Identity]) -> _Known:
    studies: dict[str, list[Instance]] = {}
    subjects: dict[str, list[Instance]] = {}
    for rows in groups:
        subject = identities[rows[0].file_id].subject
        studies.setdefault(f"{subject} {rows[0].study_uid}", []).extend(rows)
        if subject:
            subjects.setdefault(subject, []).extend(rows)
    # age and weight may change from study to study, not within one
    conflicts = {(k.partition(" ")[0], n) for k, v in studies.items() for n in gather(v)[1]}
    conflicts |= {(k, n) for k, v in subjects.items() for n in gather(v)[1] & {"sex"}}
    issues = [
        because("index/conflicting-attribute", target=subject, measured=f"{name}: two values")
        for subject, name in sorted(conflicts)
        if subject
    ]
    return _Known(
        {k: gather(v)[0] for k, v in studies.items()}, {k: gather(v)[0] for k, v in subjects.items()}, issues
    )


def _identifiers(
    rows: Iterable[Instance | AnnotationObject], identities: Mapping[str, Identity]
) -> dict[str, set[str]]:
    """Subject (or file, where it has none) to the names, IDs and birth dates in its headers."""
    out: dict[str, set[str]] = {}
    for row in rows:
        known = out.setdefault(identities[row.file_id].subject or row.file_id, set())
        known.update(i for i in (row.patient_id, row.patient_name, row.birth_date) if i)
    return out


def _members(
    rows: list[Instance],
    identities: Mapping[str, Identity],
    known: _Known,
    layout: Mapping[str, DatasetRow],
) -> SeriesMembers:
    first = rows[0]
    subject = identities[first.file_id].subject
    attributes = attributes_of(
        rows, known.studies.get(f"{subject} {first.study_uid}", {}), known.subjects.get(subject, {})
    )
    own = {i for key in {subject or r.file_id for r in rows} for i in known.identifiers[key]}
    given = layout.get(first.file_id)
    return SeriesMembers(
        rows=rows,
        identities=[identities[r.file_id] for r in rows],
        attributes=without_identifiers(attributes, own),
        layout=None
        if given is None
        else LayoutRow(
            file_id=first.file_id,
            role=given.role,
            channel=given.channel,
            case=given.case,
            subject=given.subject,
            partition=given.partition,
        ),
    )
