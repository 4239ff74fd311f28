"""Explain: what became of any file, series or case, and why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from isocenter.base import tables
from isocenter.base.documents import read_yaml
from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean
from isocenter.base.workspace import Workspace
from isocenter.model.issue import Issue
from isocenter.model.modality import shown
from isocenter.model.reasons import REASONS
from isocenter.model.rows import CaseRow, FileOutcome, FileRow, Instance, PlannedCase, Stack
from isocenter.pipeline.account import account

Row = TypeVar("Row")

_ISSUE_TABLES = ("index", "screen", "enrol", "build")
_SET_ASIDE = {"enrol/not-preferred", "enrol/several-candidates"}
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What became of one thing: `lines` are sentences, `issues` what the rules saw on its way."""

    target: str
    kind: str
    state: str
    reason: str
    lines: tuple[str, ...]
    issues: tuple[Issue, ...]


def explain(workspace: str | os.PathLike[str], what: str) -> tuple[Explanation, ...]:
    """Explain a file (by path, or a part of its path), or a case, stack, series or subject (by its id).

    A path that names a folder explains every file below it; a Series Instance UID or a subject explains each
    of its stacks. This reads the index, which holds identifiers: what it prints is for people who may see
    them.

    Raises:
        ConfigError: nothing of that name is known; the message offers the nearest one.
        StaleArtefact: the workspace has not been indexed.
    """
    found = _Tables(Workspace(Path(workspace)))
    if what in found.cases or what in found.planned:
        return (found.of_case(what),)
    if stacks := found.stacks_of(what):
        return tuple(found.of_stack(s) for s in stacks)
    files = found.matching(what)
    if not files:
        known = [f.path for f in found.files] + list(found.planned) + list(found.stacks)
        raise ConfigError(f"nothing is known of {what!r}{did_you_mean(what, known)}")
    return tuple(found.of_file(f) for f in files)


class _Tables:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.files = list(tables.read(workspace.table("index", "files"), FileRow))
        self.stacks = {s.id: s for s in tables.read(workspace.table("index", "stacks"), Stack)}
        self.planned = {c.id: c for c in self._rows("enrol", "cases", PlannedCase)}
        self.cases = {c.id: c for c in self._rows("build", "cases", CaseRow)}
        self._names = workspace.pseudonyms()
        self._outcomes: dict[str, FileOutcome] = {o.file_id: o for o in account(workspace)}
        self._issues: dict[str, list[Issue]] = {}
        for stage in _ISSUE_TABLES:
            for issue in self._rows(stage, "issues", Issue):
                self._issues.setdefault(issue.target, []).append(issue)
        self._stacks_of_file: dict[str, list[Stack]] = {}
        for stack in self.stacks.values():
            for file_id in dict.fromkeys(stack.files):  # once, however many of its frames are slices
                self._stacks_of_file.setdefault(file_id, []).append(stack)
        self._cases_of: dict[str, list[PlannedCase]] = {}
        for case in self.planned.values():
            for key in (
                {c.stack for c in case.channels} | {a.file_id for a in case.annotations} | {case.subject}
            ):
                self._cases_of.setdefault(key, []).append(case)

    def stacks_of(self, what: str) -> list[str]:
        """Ids of the stacks that an id of a stack, series, study or subject, or a Series Instance UID names."""
        if what in self.stacks:
            return [what]
        found = [s.id for s in self.stacks.values() if what and what in {s.series, s.study, s.subject}]
        if found or not _UID.fullmatch(what):
            return found
        instances = tables.read(self._workspace.table("index", "instances"), Instance)
        files = {i.file_id for i in instances if what in {i.series_uid, i.study_uid}}
        return [s.id for s in self.stacks.values() if files & set(s.files)]

    def matching(self, what: str) -> list[FileRow]:
        """Files of that path, below that folder, or with that name or path ending."""
        path = Path(what).as_posix().rstrip("/")
        exact = [f for f in self.files if f.path == path or f.file_id == what]
        if exact:
            return exact
        absolute = Path(os.path.abspath(what)).as_posix()  # noqa: PTH100 - links must not be resolved
        inside = []
        for number, root in enumerate(self._roots()):
            if absolute == root or absolute.startswith(f"{root}/"):
                below = absolute.removeprefix(root).lstrip("/")
                inside += [f for f in self.files if f.source == number and _is_below(f.path, below)]
        if inside:
            return inside
        return [f for f in self.files if f.path.endswith(f"/{path}") or f"/{path}/" in f"/{f.path}"]

    def of_file(self, file: FileRow) -> Explanation:
        """One file: its state, and the stack, annotation or case that decided."""
        outcome = self._outcomes[file.file_id]
        targets = [file.file_id, self._names.of("ann", file.file_id)]
        lines = [
            f"{file.path}: {outcome.state}, {_meaning(outcome)}",
            f"It is of kind {file.kind}, {file.size:,} bytes.",
        ]
        for stack in self._stacks_of_file.get(file.file_id, ()):
            targets += [stack.id, stack.series]
            lines.append(f"It {_part_of(stack, file)} stack {stack.id}.")
            self._tell_cases(stack, targets, lines)
        for case in self._cases_of.get(file.file_id, ()):
            targets.append(case.id)
            lines.append(f"It is an annotation of case {case.id}.")
        return self._made(file.path, "file", outcome.state, outcome.reason, lines, targets)

    def of_stack(self, stack_id: str) -> Explanation:
        """One stack."""
        stack = self.stacks[stack_id]
        outcome = self._outcomes[stack.files[0]]
        targets = [stack_id, stack.series]
        shape = " x ".join(map(str, stack.shape))
        whose = f"subject {stack.subject}" if stack.subject else "no subject"
        lines = [
            f"Stack {stack_id}: {shown(stack.modality) or stack.format}, {_files_of(stack)}, {shape} voxels.",
            f"It is of series {stack.series}, {whose}.",
            *_place_in_set(stack),
            f"State: {outcome.state}, {_meaning(outcome)}",
        ]
        self._tell_cases(stack, targets, lines)
        return self._made(stack_id, "stack", outcome.state, outcome.reason, lines, targets)

    def _tell_cases(self, stack: Stack, targets: list[str], lines: list[str]) -> None:
        """The case that a stack is an image of, or the one whose image was chosen instead of it."""
        own = self._cases_of.get(stack.id, ())
        for case in own:
            targets.append(case.id)
            lines.append(f"Its stack is an image of case {case.id}.")
        if not own and self._outcomes[stack.files[0]].reason in _SET_ASIDE and stack.subject:
            for case in self._cases_of.get(stack.subject, ()):
                if not stack.timepoint or stack.timepoint == case.timepoint:
                    targets.append(case.id)
                    chosen = ", ".join(f"{c.name} {c.stack or 'undecided'}" for c in case.channels)
                    lines.append(f"It was a candidate for case {case.id}, whose images are: {chosen}.")

    def of_case(self, case_id: str) -> Explanation:
        """One case: its verdict, channels and labels."""
        planned, built = self.planned.get(case_id), self.cases.get(case_id)
        verdict = built.verdict if built else planned.verdict if planned else ""
        lines = [f"Case {case_id}: {verdict}{'' if built else ', not built'}."]
        targets = [case_id]
        if planned:
            for channel in planned.channels:
                lines.append(f"Channel {channel.name}: {self._where(channel.stack)}.")
                targets.append(channel.stack)
            lines.append(
                f"{len(planned.annotations)} annotations; site {planned.site}; subject {planned.subject}."
            )
            files = {a.file_id for a in planned.annotations if a.file_id}
            lines += [f"Annotated in {f.path}." for f in self.files if f.file_id in files]
        if built:
            lines += [f"Label {s.label}: {s.state}, {s.volume_ml:g} ml." for s in built.labels]
        grave = [
            i.rule for i in self._issues.get(case_id, ()) if i.severity is not None and i.severity == verdict
        ]
        reason = (planned.reason if planned else "") or next(iter(grave), "")
        return self._made(case_id, "case", verdict, reason, lines, targets)

    def _where(self, stack_id: str) -> str:
        """A stack with the folder of its files, or "missing"."""
        stack = self.stacks.get(stack_id)
        if stack is None:
            return stack_id or "missing"
        path = next(f.path for f in self.files if f.file_id == stack.files[0])
        return f"{stack_id}, {_files_of(stack)}, the first is {path}"

    def _made(
        self, target: str, kind: str, state: str, reason: str, lines: list[str], targets: list[str]
    ) -> Explanation:
        issues = [i for t in dict.fromkeys(targets) if t for i in self._issues.get(t, [])]
        return Explanation(
            target=target,
            kind=kind,
            state=state,
            reason=reason,
            lines=tuple(lines),
            issues=tuple(dict.fromkeys(issues)),
        )

    def _roots(self) -> list[str]:
        """Absolute folders of the sources, from the config as run."""
        if not self._workspace.config.exists():
            return []
        data = read_yaml(self._workspace.config).data
        base = self._workspace.root.absolute()
        return [Path(os.path.normpath(base / s["path"])).as_posix() for s in data["sources"]]

    def _rows(self, stage: str, name: str, row_type: type[Row]) -> Iterable[Row]:
        path = self._workspace.root / stage / f"{name}.parquet"
        return tables.read(path, row_type) if path.exists() and self._workspace.done(stage) else ()


def _part_of(stack: Stack, file: FileRow) -> str:
    """What a file is to a stack: a slice of it, some of its slices, or all of it."""
    if stack.format != "dicom":
        return f"holds {_place_of(stack)}:" if stack.axis else "is the volume of"
    count = stack.files.count(file.file_id)
    if count > 1:
        return f"holds {count} of {len(stack.files)} slices of"
    return f"is slice {stack.files.index(file.file_id) + 1} of {len(stack.files)} of"


def _files_of(stack: Stack) -> str:
    count = len(set(stack.files))
    return f"{count} file{'s'[: count != 1]}"


def _place_in_set(stack: Stack) -> list[str]:
    if not stack.axis:
        return []
    where = f"where: {{axis_index: '{stack.axis_index}'}}"
    return [f"It is {_place_of(stack)}; {where} in a channel asks for it alone."]


def _place_of(stack: Stack) -> str:
    """Where a stack stands in its set."""
    value = "" if stack.axis_value is None else f" ({stack.axis_value:g})"
    return f"volume {stack.axis_index + 1} of {stack.axis_count} along {stack.axis}{value}"


def _is_below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _meaning(outcome: FileOutcome) -> str:
    known = REASONS.get(outcome.reason)
    if known is None:
        return f"{outcome.reason}."
    return f"{outcome.reason}: {known.meaning} {known.what_to_do}"
