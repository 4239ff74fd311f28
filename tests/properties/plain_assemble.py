"""The index row by row: slow and plain, what the index must come to with columns and SQL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from isocenter.base.digests import digest_of_file
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.formats.dataset import DatasetRow
from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, FileRow, Instance, LayoutRow, Series, Stack
from isocenter.model.vocabulary import scrub
from isocenter.stages.index.subjects import Identity, SubjectFinder
from tests.properties.plain_stack import (
    PROJECTIONS,
    Part,
    SeriesMembers,
    parts,
    series_key,
    series_of,
    set_apart,
    stacks_of,
)
from tests.unit.stages.grouping import Found

_AGE = re.compile(r"(\d{3})([DWMY])")
_IN_A_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1}
_SEXES = {"M", "F", "O"}
# Ages from 90 on are one group: they point to single persons (45 CFR 164.514).
_OLDEST = 90
_PERSONAL = ("age_years", "sex", "weight_kg")
_SCAN = {
    "manufacturer": ("manufacturer", ""),
    "model": ("model", ""),
    "body_part": ("body_part", ""),
    "convolution_kernel": ("convolution_kernel", ""),
    "kvp": ("kvp", "kV"),
    "echo_time_ms": ("echo_time_ms", "ms"),
    "repetition_time_ms": ("repetition_time_ms", "ms"),
    "inversion_time_ms": ("inversion_time_ms", "ms"),
    "b_value": ("b_value", "s/mm2"),
    "contrast_agent": ("contrast_agent", ""),
    "field_strength_t": ("field_strength_t", "T"),
    "slice_thickness_mm": ("slice_thickness_mm", "mm"),
}
# People type into these; what scanners write there by themselves is kept.
_FREE_TEXT = {"manufacturer", "model", "body_part", "convolution_kernel", "contrast_agent"}
# Terms of Body Part Examined (PS3.16 annex L) that short names of people are part of, as Abd is of ABDOMEN.
_BODY_PARTS = {
    "ABDOMEN", "ABDOMENPELVIS", "ANKLE", "ARM", "BLADDER", "BRAIN", "BREAST", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS",
    "CLAVICLE", "CSPINE", "ELBOW", "EXTREMITY", "FEMUR", "FOOT", "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "KIDNEY",
    "KNEE", "LEG", "LIVER", "LSPINE", "LUNG", "NECK", "PANCREAS", "PELVIS", "PROSTATE", "RIB", "SHOULDER", "SKULL",
    "SPINE", "SPLEEN", "STERNUM", "THORAX", "TSPINE", "UTERUS", "WHOLEBODY", "WRIST",
}  # fmt: skip


def personal(row: Instance) -> dict[str, str]:
    """Age, sex and weight that one header holds, as texts; what is absent or senseless is left out."""
    out = {}
    if (age := _age_years(row)) is not None:
        out["age_years"] = f"{min(age, _OLDEST):g}"
    if row.sex in _SEXES:
        out["sex"] = row.sex
    weight = row.weight_kg or 0.0
    if 10_000 <= weight <= 350_000:
        weight /= 1000  # grams
    if 0.5 <= weight <= 350:
        out["weight_kg"] = f"{weight:g}"
    return out


def _age_years(row: Instance) -> int | None:
    """Whole years from Patient's Age (VR AS, PS3.5 6.2), else from birth and study date."""
    if row.age and (found := _AGE.fullmatch(row.age)):
        return int(int(found[1]) / _IN_A_YEAR[found[2]])
    born, studied = row.birth_date or "", row.study_date or ""
    if re.fullmatch(r"\d{8}", born) and re.fullmatch(r"\d{8}", studied) and born <= studied:
        return (int(studied) - int(born)) // 10_000
    return None


def attributes_of(
    rows: Sequence[Instance], study: dict[str, str], subject: dict[str, str], row: Instance
) -> tuple[Attribute, ...]:
    """All attributes of a series, those of the scan of one row; personal ones: series -> study -> subject."""
    own, removed = gather(rows)[0], any(r.identity_removed for r in rows)
    absent = AttributeState.DEIDENTIFIED if removed else AttributeState.MISSING
    out = []
    for name in _PERSONAL:
        unit = {"age_years": "years", "weight_kg": "kg"}.get(name, "")
        places = [("series", own), ("study", study)]
        places += [("subject", subject)] if name == "sex" else []  # age and weight change between studies
        source, value = next(((s, p[name]) for s, p in places if name in p), ("series", ""))
        state = AttributeState.KNOWN if value else absent
        out.append(Attribute(name=name, value=value, unit=unit, state=state, source=source))
    for name, (attribute, unit) in _SCAN.items():
        value = getattr(row, attribute)
        text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
        if text or name in {"manufacturer", "model"}:
            state = AttributeState.KNOWN if text else absent
            out.append(Attribute(name=name, value=text, unit=unit, state=state))
    return tuple(out)


def without_identifiers(
    attributes: Iterable[Attribute], identifiers: Iterable[str], everybody: Iterable[str]
) -> tuple[Attribute, ...]:
    """Attributes whose free texts name nobody.

    The subject's own names, IDs and birth dates are taken out wherever they stand, those of others as whole words.
    """
    known = list(identifiers)
    words = {w for i in everybody for w in re.split(r"[\s^]", i.lower()) if len(w) > 2}
    out = []
    for a in attributes:
        text = " ".join("*" if w.lower() in words else w for w in scrub(a.value, known).split(" "))
        if a.name not in _FREE_TEXT or a.value in _BODY_PARTS or text == a.value:
            out.append(a)
        elif re.search(r"[^\W_]", text):
            out.append(replace(a, value=text))
        else:
            out.append(replace(a, value="", state=AttributeState.WITHHELD))
    return tuple(out)


def gather(rows: Iterable[Instance]) -> tuple[dict[str, str], set[str]]:
    """The personal attributes that some headers agree on, and the names of those they do not."""
    found: dict[str, set[str]] = {}
    told_apart = {(r.age, r.birth_date, r.study_date, r.sex, r.weight_kg): r for r in rows}
    for row in told_apart.values():
        for name, value in personal(row).items():
            found.setdefault(name, set()).add(value)
    conflicts = {n for n, values in found.items() if len(values) > 1}
    return {n: min(v) for n, v in found.items() if n not in conflicts}, conflicts


# A DICOM file that was refused; where its header could be read, an instance holds its identity.
REFUSED = "dicom-unreadable"
# What a slice may have become that nobody can read: told by its name alone, if at all.
_UNTOLD = {"empty", "unreadable", "unknown"}


class Losses:
    """How many files a series or stack may lack.

    Args:
        images: Instances of all images, refused ones with them.
        files: Rows by file id.
        lost: Files that cannot be used, copies of used ones aside.
    """

    def __init__(self, images: Iterable[Instance], files: Mapping[str, FileRow], lost: set[str]) -> None:
        known, refused, used = set(), [], set()
        for row in images:
            known.add(row.file_id)
            if row.file_id in lost:
                refused.append(row)
            else:
                used.add((row.site, row.sop_instance_uid))
        # a broken copy of an object that is there in full is no loss
        whole = [r for r in refused if r.sop_instance_uid is None or (r.site, r.sop_instance_uid) not in used]
        self._series = Counter(series_key(r) for r in whole)
        self._files = files
        self._beside: dict[tuple[int, str], list[str]] = {}
        for file in files.values():
            if file.kind in _UNTOLD or (file.kind == REFUSED and file.file_id not in known):
                look = "" if file.kind == REFUSED else _look(file.path)
                self._beside.setdefault(_folder(file), []).append(look)

    def of_series(self, key: tuple[str, ...]) -> int:
        """Files that say themselves that they are of a series."""
        return self._series[key]

    def beside(self, stack: Stack) -> int:
        """Files in the folders of a stack of slices that do not say whose they are, and may be of this one.

        What is no longer known for DICOM must at least be named like the stack's own files.
        """
        if stack.format != "dicom" or stack.multi_frame or stack.modality in PROJECTIONS or not self._beside:
            return 0
        looks: dict[tuple[int, str], set[str]] = {}
        for file_id in stack.files:
            row = self._files[file_id]
            looks.setdefault(_folder(row), {""}).add(_look(row.path))
        return sum(look in own for folder, own in looks.items() for look in self._beside.get(folder, ()))


def _folder(row: FileRow) -> tuple[int, str]:
    return row.source, row.path.rpartition("/")[0]


def _look(path: str) -> str:
    """What files of one series have in common in their names: the extension, or all but the numbers."""
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    return suffix if suffix[1:].isalpha() else re.sub(r"[\d.]+", "#", name.name)


def find_duplicates(
    objects: Iterable[tuple[str, str]], files: Mapping[str, FileRow], path_of: Mapping[str, Path]
) -> list[Issue]:
    """Issues on the files that must not be used.

    Args:
        objects: (SOP Instance UID, file id) of every DICOM object.
        files: Rows by file id.
        path_of: Paths by file id; read only where one UID occurs twice.
    """
    by_uid: dict[str, list[str]] = {}
    for uid, file_id in objects:
        by_uid.setdefault(uid, []).append(file_id)
    out = []
    for _, twins in sorted(by_uid.items()):
        if len(twins) > 1:
            out.extend(_judge(sorted(twins, key=lambda f: (files[f].source, files[f].path)), path_of))
    return out


def _judge(twins: list[str], path_of: Mapping[str, Path]) -> list[Issue]:
    try:
        contents = {digest_of_file(path_of[t]) for t in twins}
    except OSError:
        contents = set()
    if len(contents) == 1:
        return [
            because("index/duplicate-object", target=t, measured=f"{len(twins)} copies", expected="1")
            for t in twins[1:]
        ]
    measured = f"{len(contents)} different contents" if contents else "unreadable"
    return [
        because("index/conflicting-object", target=t, measured=measured, expected="1 content") for t in twins
    ]


_IMAGES = {"dicom-image", "nifti", "nrrd"}


@dataclass(slots=True)
class Assembled:
    """Everything that comes of the files."""

    files: list[FileRow] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    annotations: list[AnnotationObject] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    stacks: list[Stack] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def assemble(
    scanned: Iterable[Found],
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
            placed = replace(found.instance, path=found.row.path)
            out.instances.append(_with_layout(placed, layout.get(found.row.file_id)))
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
        if len(stacks) > 1:
            first = [p.rows[0] for p in parts(rows)]
            own = [_members(rows, identities, known, layout, row).attributes for row in first]
            n_shared = len(members.attributes)
            stacks = [
                replace(s, attributes=(*a, *s.attributes[n_shared:]))
                for s, a in zip(stacks, own, strict=True)
            ]
        stacks = [
            replace(s, attributes=(*s.attributes, *_compression(p.rows)))
            for s, p in zip(stacks, parts(rows), strict=True)
        ]
        out.series.append(series_of(members, stacks))
        out.stacks += stacks
        out.issues += _group_issues(stacks, parts(rows), losses.of_series(key), losses)
    out.issues += known.issues
    out.series.sort(key=lambda s: s.id)
    out.stacks.sort(key=lambda s: s.id)


def _group_issues(
    stacks: Sequence[Stack], made_of: Sequence[Part], of_series: int, losses: Losses
) -> list[Issue]:
    out = []
    for stack, part in zip(stacks, made_of, strict=True):
        if not stack.subject:
            out.append(because("index/no-subject", target=stack.id))
        if len(stacks) > 1 and len(stack.files) > 1:
            measured = "; ".join([f"{len(stacks)} stacks", *set_apart(part, made_of)])
            out.append(because("index/series-split", target=stack.id, measured=measured, expected="1"))
        if part.by_number:
            stated = {r.temporal_positions for r in part.rows if r.temporal_positions}
            expected = f"{stated.pop()} times by Number of Temporal Positions" if stated else ""
            rule = "index/time-by-number" if part.is_confirmed else "index/unconfirmed-time-by-number"
            out.append(because(rule, target=stack.id, measured=part.by_number, expected=expected))
        if part.contradiction:
            out.append(
                because("index/contradicting-attributes", target=stack.id, measured=part.contradiction)
            )
        if stack.format == "dicom" and not part.rows[0].series_uid and len(stack.files) > 1:
            out.append(because("index/no-series-uid", target=stack.id, measured=f"{len(stack.files)} files"))
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


def _compression(rows: Sequence[Instance]) -> Iterator[Attribute]:
    """What the rows of a stack say of loss; the numbers and terms of the tests are sound ones."""
    if rows[0].format != "dicom":
        return
    is_lossy = any(r.is_lossy or r.transfer_syntax_uid == "1.2.840.10008.1.2.4.50" for r in rows)
    yield Attribute(name="lossy", value="yes" if is_lossy else "no")
    for name in ("ratio", "method") if is_lossy else ():
        found = {getattr(r, f"lossy_{name}") for r in rows} - {None}
        if found:
            yield Attribute(name=f"compression_{name}", value=", ".join(sorted(found)).replace("\\", " x "))


def _members(
    rows: list[Instance],
    identities: Mapping[str, Identity],
    known: _Known,
    layout: Mapping[str, DatasetRow],
    row: Instance | None = None,
) -> SeriesMembers:
    first = rows[0]
    subject = identities[first.file_id].subject
    study = known.studies.get(f"{subject} {first.study_uid}", {})
    attributes = attributes_of(rows, study, known.subjects.get(subject, {}), row or first)
    keys = {subject} if subject else {identities[r.file_id].subject or r.file_id for r in rows}
    own = {i for key in keys for i in known.identifiers[key]}
    given = layout.get(first.file_id)
    return SeriesMembers(
        rows=rows,
        identities=[identities[r.file_id] for r in rows],
        attributes=without_identifiers(attributes, own, [i for v in known.identifiers.values() for i in v]),
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
