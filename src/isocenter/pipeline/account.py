"""Account: the one state of every file: used, held, excluded or ignored, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from isocenter.base import tables
from isocenter.base.workspace import Workspace
from isocenter.formats.drawings import drawing_kinds
from isocenter.formats.image import FORMATS
from isocenter.model.issue import Issue, Verdict
from isocenter.model.rows import (
    AnnotationObject,
    CaseRow,
    FileOutcome,
    FileRow,
    LayoutRow,
    PlannedCase,
    Stack,
    VerdictRow,
)

Row = TypeVar("Row")

USED, HELD, EXCLUDED, IGNORED = "used", "held", "excluded", "ignored"
_UNCLEAR = "enrol/ambiguous-annotation"
# What the index tells of files that it leaves out of every stack.
_DROPPED = {"index/duplicate-object", "index/duplicate-pixels", "index/conflicting-object"}
_RANK = {USED: 0, HELD: 1, EXCLUDED: 2, IGNORED: 3}
# Kinds that hold an image; an image that no rule judged was not asked for.
_IMAGES = {"dicom-image", *FORMATS.names()} - {"dicom"}


@dataclass(frozen=True, slots=True)
class _Fate:
    state: str
    reason: str
    target: str


def account(workspace: Workspace) -> list[FileOutcome]:
    """The outcome of every file, from whichever stages have run; each file has exactly one.

    A file in several roles has the first of used, held, excluded, ignored.
    """
    files = list(tables.read(workspace.table("index", "files"), FileRow))
    fates: dict[str, _Fate] = {}
    for issue in tables.read(workspace.table("index", "issues"), Issue):
        if issue.rule.startswith("file/") or issue.rule in _DROPPED:
            _add(fates, issue.target, _Fate(EXCLUDED, issue.rule, issue.target))
    stacks = list(tables.read(workspace.table("index", "stacks"), Stack))
    by_stack = _fates_of_stacks(workspace)
    for stack in stacks:
        fate = by_stack.get(stack.id, _Fate(HELD, "not screened yet", stack.id))
        for file_id in stack.files:
            _add(fates, file_id, fate)
    _add_annotations(workspace, fates)
    for file in files:  # the voxels beside a header go where it goes
        if file.data_file and file.file_id in fates:
            _add(fates, file.data_file, fates[file.file_id])
    return [_outcome(f, fates.get(f.file_id)) for f in files]


def _outcome(file: FileRow, fate: _Fate | None) -> FileOutcome:
    if fate is None:
        is_image = file.kind in _IMAGES or file.kind.endswith("-unreadable")
        fate = _Fate(EXCLUDED, "enrol/not-wanted", "") if is_image else _Fate(IGNORED, file.kind, "")
    return FileOutcome(file_id=file.file_id, state=fate.state, reason=fate.reason, target=fate.target)


def _add(fates: dict[str, _Fate], file_id: str, fate: _Fate) -> None:
    before = fates.get(file_id)
    if before is None or _RANK[fate.state] < _RANK[before.state]:
        fates[file_id] = fate


def _fates_of_stacks(workspace: Workspace) -> dict[str, _Fate]:
    """What became of every stack: by the last stage that decided on it."""
    out: dict[str, _Fate] = {}
    for row in _rows(workspace, "screen", "verdicts", VerdictRow):
        state = EXCLUDED if row.verdict == Verdict.REJECT else HELD
        out[row.target] = _Fate(state, row.reason or "enrol/not-planned", row.target)
    for row in _rows(workspace, "enrol", "stacks", VerdictRow):
        state = HELD if row.verdict == Verdict.REVIEW else EXCLUDED
        out[row.target] = _Fate(state, row.reason, row.target)
    verdicts = _verdicts_of_cases(workspace)
    for case in _rows(workspace, "enrol", "cases", PlannedCase):
        for channel in case.channels:
            if channel.stack:
                out[channel.stack] = verdicts[case.id]
    return out


def _verdicts_of_cases(workspace: Workspace) -> dict[str, _Fate]:
    out = {
        c.id: _fate_of(c.verdict, c.reason or "not built yet", c.id, is_built=False)
        for c in _rows(workspace, "enrol", "cases", PlannedCase)
    }
    reasons: dict[str, dict[str, str]] = {}
    for issue in _rows(workspace, "build", "issues", Issue):
        if issue.severity is not None:
            reasons.setdefault(issue.target, {}).setdefault(issue.severity.value, issue.rule)
    for row in _rows(workspace, "build", "cases", CaseRow):
        reason = reasons.get(row.id, {}).get(row.verdict, "")
        planned = out.get(row.id)
        out[row.id] = _fate_of(
            row.verdict, reason or (planned.reason if planned else ""), row.id, is_built=True
        )
    return out


def _fate_of(verdict: str, reason: str, target: str, *, is_built: bool) -> _Fate:
    if verdict == Verdict.REJECT:
        return _Fate(EXCLUDED, reason, target)
    if verdict == Verdict.KEEP and is_built:
        return _Fate(USED, "image", target)
    return _Fate(HELD, reason, target)


def _add_annotations(workspace: Workspace, fates: dict[str, _Fate]) -> None:
    """An annotation goes with its case; one that belongs to none is excluded."""
    cases = _verdicts_of_cases(workspace)
    for case in _rows(workspace, "enrol", "cases", PlannedCase):
        for annotation in case.annotations:
            if annotation.file_id:
                fate = cases[case.id]
                if not annotation.labels:  # it is the image's, but nothing in it is a label of the task
                    fate = _Fate(EXCLUDED, "enrol/unmapped-label", case.id)
                reason = "annotation" if fate.state == USED else fate.reason
                _add(fates, annotation.file_id, _Fate(fate.state, reason, fate.target))
    is_enrolled = workspace.done("enrol") is not None and (workspace.root / "enrol/cases.parquet").exists()
    reason = "enrol/annotation-of-nothing" if is_enrolled else "not enrolled yet"
    state = EXCLUDED if is_enrolled else HELD
    loose: Iterable[str] = _loose(workspace, is_enrolled=is_enrolled)
    masks = {r.file_id for r in _rows(workspace, "index", "layout", LayoutRow) if r.role == "mask"}
    for file_id in loose:
        _add(fates, file_id, _Fate(state, reason, ""))
    for file_id in sorted(masks):
        if fates.get(file_id, _Fate(EXCLUDED, "enrol/not-wanted", "")).reason == "enrol/not-wanted":
            fates[file_id] = _Fate(state, reason, "")
    _hold_unclear(workspace, fates)


def _loose(workspace: Workspace, *, is_enrolled: bool) -> list[str]:
    """Files of annotations; of formats that are read only where they are asked for, those that were asked for."""
    found = list(_rows(workspace, "index", "annotations", AnnotationObject))
    optional = {*drawing_kinds(), "dicom-report"} if is_enrolled else set()
    if not any(a.format in optional for a in found):
        return [a.file_id for a in found]
    told = {i.target for i in _rows(workspace, "enrol", "issues", Issue)}
    names = workspace.pseudonyms()
    return [a.file_id for a in found if a.format not in optional or names.of("ann", a.file_id) in told]


def _hold_unclear(workspace: Workspace, fates: dict[str, _Fate]) -> None:
    """An annotation that fits several images waits for a person."""
    unclear = {i.target for i in _rows(workspace, "enrol", "issues", Issue) if i.rule == _UNCLEAR}
    if not unclear:
        return
    names = workspace.pseudonyms()
    for file_id, fate in list(fates.items()):
        if fate.reason == "enrol/annotation-of-nothing" and names.of("ann", file_id) in unclear:
            fates[file_id] = _Fate(HELD, _UNCLEAR, names.of("ann", file_id))


def _rows(workspace: Workspace, stage: str, name: str, row_type: type[Row]) -> Iterable[Row]:
    path = workspace.root / stage / f"{name}.parquet"
    return tables.read(path, row_type) if path.exists() and workspace.done(stage) else ()


def totals(outcomes: Iterable[FileOutcome]) -> dict[str, dict[str, int]]:
    """Files by state, and within it by reason, most frequent first."""
    counts: dict[str, Counter[str]] = {s: Counter() for s in _RANK}
    for outcome in outcomes:
        counts[outcome.state][outcome.reason] += 1
    return {s: dict(sorted(c.items(), key=lambda kv: (-kv[1], kv[0]))) for s, c in counts.items()}
