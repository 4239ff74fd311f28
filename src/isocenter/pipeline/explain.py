"""Explain: what became of any file, series or case, and why."""

from __future__ import annotations

import os
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
from isocenter.model.reasons import REASONS
from isocenter.model.rows import CaseRow, FileOutcome, FileRow, PlannedCase, Series, Stack
from isocenter.pipeline.account import account

Row = TypeVar("Row")

_ISSUE_TABLES = ("index", "screen", "enrol", "build")


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

    A path that names a folder explains every file below it. This reads the index, which holds identifiers:
    what it prints is for people who may see them.

    Raises:
        ConfigError: nothing of that name is known; the message offers the nearest one.
    """
    place = Workspace(Path(workspace))
    found = _Tables(place)
    if what in found.cases or what in found.planned:
        return (found.of_case(what),)
    if what in found.stacks:
        return (found.of_stack(what),)
    files = found.matching(what)
    if not files:
        known = [f.path for f in found.files] + list(found.planned) + list(found.stacks)
        raise ConfigError(f"nothing is known of {what!r}{did_you_mean(what, known)}")
    return tuple(found.of_file(f) for f in files)


class _Tables:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        index = workspace.table
        self.files = list(tables.read(index("index", "files"), FileRow))
        self.stacks = {s.id: s for s in tables.read(index("index", "stacks"), Stack)}
        self.series = {s.id: s for s in tables.read(index("index", "series"), Series)}
        self.planned = {c.id: c for c in self._rows("enrol", "cases", PlannedCase)}
        self.cases = {c.id: c for c in self._rows("build", "cases", CaseRow)}
        self._names = workspace.pseudonyms()
        self._outcomes: dict[str, FileOutcome] = {o.file_id: o for o in account(workspace)}
        self._issues: dict[str, list[Issue]] = {}
        for stage in _ISSUE_TABLES:
            for issue in self._rows(stage, "issues", Issue):
                self._issues.setdefault(issue.target, []).append(issue)

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
        own_annotation = self._names.of("ann", file.file_id)
        targets = [file.file_id, own_annotation]
        lines = [f"{file.path}: {outcome.state}, {_meaning(outcome)}"]
        lines.append(f"It is of kind {file.kind}, {file.size} bytes.")
        for stack in self.stacks.values():
            if file.file_id in stack.files:
                targets += [stack.id, stack.series]
                at = stack.files.index(file.file_id) + 1
                lines.append(f"It is slice {at} of {len(stack.files)} of stack {stack.id}.")
        for case in self.planned.values():
            if any(c.stack in targets for c in case.channels):
                targets.append(case.id)
                lines.append(f"Its stack is an image of case {case.id}.")
            if any(a.file_id == file.file_id for a in case.annotations):
                targets.append(case.id)
                lines.append(f"It is an annotation of case {case.id}.")
        return self._made(file.path, "file", outcome.state, outcome.reason, lines, targets)

    def of_stack(self, stack_id: str) -> Explanation:
        """One stack."""
        stack = self.stacks[stack_id]
        outcome = self._outcomes[stack.files[0]]
        shape = " x ".join(map(str, stack.shape))
        lines = [
            f"Stack {stack_id}: {stack.modality or stack.format}, {len(stack.files)} files, {shape} voxels.",
            f"State: {outcome.state}, {_meaning(outcome)}",
        ]
        return self._made(stack_id, "stack", outcome.state, outcome.reason, lines, [stack_id, stack.series])

    def of_case(self, case_id: str) -> Explanation:
        """One case: its verdict, channels and labels."""
        planned, built = self.planned.get(case_id), self.cases.get(case_id)
        verdict = built.verdict if built else planned.verdict if planned else ""
        lines = [f"Case {case_id}: {verdict}."]
        targets = [case_id]
        if planned:
            for channel in planned.channels:
                lines.append(f"Channel {channel.name}: {channel.stack or 'missing'}.")
                targets.append(channel.stack)
            lines.append(
                f"{len(planned.annotations)} annotations; site {planned.site}; subject {planned.subject}."
            )
        if built:
            lines += [f"Label {s.label}: {s.state}, {s.volume_ml:g} ml." for s in built.labels]
        reason = planned.reason if planned else ""
        return self._made(case_id, "case", verdict, reason, lines, targets)

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
        return tables.read(path, row_type) if path.exists() else ()


def _is_below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _meaning(outcome: FileOutcome) -> str:
    known = REASONS.get(outcome.reason)
    if known is None:
        return f"{outcome.reason}."
    return f"{outcome.reason}: {known.meaning} {known.what_to_do}"
