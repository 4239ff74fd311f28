"""Enrol: stacks that passed the screen and the annotations on them become planned cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from isocenter.base import tables
from isocenter.base.digests import digest_of_file
from isocenter.base.workspace import Workspace
from isocenter.model.issue import Issue, Verdict
from isocenter.model.rows import PlannedAnnotation, PlannedCase, VerdictRow
from isocenter.model.vocabulary import Vocabulary
from isocenter.stages.enrol.candidates import Draft, draft_cases
from isocenter.stages.enrol.inputs import Inputs
from isocenter.stages.enrol.link import Linker
from isocenter.stages.enrol.options import AnnotationKind, EnrolOptions
from isocenter.stages.enrol.plan import attach, median_spacing, plan_case, shard_count, shard_of
from isocenter.stages.enrol.tables import link_table

STAGE = "enrol"
VERSION = 1


def enrol(
    options: EnrolOptions,
    workspace: Workspace,
    *,
    base: Path,
    held_out: set[str],
    max_case_bytes: int,
) -> dict[str, int]:
    """Make the plan of all cases.

    Args:
        options: Contract, annotation sources, store layout.
        workspace: Where index and screen are read and the plan is written.
        base: Folder that relative paths of tables start from.
        held_out: Subjects that an earlier split holds out; they shape no fitted quantity.
        max_case_bytes: A larger case is refused.

    Returns:
        Counts: cases, keep, review, reject, shards, bytes.
    """
    index, screen = workspace.done("index"), workspace.done("screen")
    key = workspace.key_of(
        STAGE,
        VERSION,
        tables.form_of(PlannedCase, Issue),
        options,
        index and index["key"],
        screen and screen["key"],
        _tables(options, base),
        max_case_bytes,
    )
    before = workspace.done(STAGE)
    if before is not None and before["key"] == key:
        return dict(before["counts"])
    folder = workspace.start(STAGE)
    names = workspace.pseudonyms()
    index_issues = list(tables.read(workspace.table("index", "issues"), Issue))
    inputs = Inputs.read(workspace, base, {i.target for i in index_issues})
    drafts = draft_cases(inputs, options.contract, options.unit)
    annotations, issues, rows_used = _annotations(options, inputs, drafts, workspace)
    spacing = _spacing(options, before, drafts, held_out)
    cases: list[PlannedCase] = []
    for draft in drafts:
        planned, found = plan_case(
            draft, attach(draft, annotations, options), inputs, options, spacing, names, max_case_bytes
        )
        cases.append(planned)
        issues += found
    shards = options.store.shards or _frozen(before) or shard_count(cases, options.store.shard_bytes)
    cases = sorted((replace(c, shard=shard_of(c.id, shards)) for c in cases), key=lambda c: c.id)
    tables.write(folder / "cases.parquet", PlannedCase, cases)
    tables.write(
        folder / "issues.parquet", Issue, sorted(issues, key=lambda i: (i.target, i.rule, i.measured))
    )
    tables.write(folder / "stacks.parquet", VerdictRow, _set_aside(drafts))
    verdicts = Counter(c.verdict for c in cases)
    counts = {
        "cases": len(cases),
        **{v.value: verdicts[v.value] for v in Verdict},
        "shards": shards,
        "bytes": sum(c.bytes_estimated for c in cases if c.is_to_build),
    }
    workspace.finish(STAGE, key, counts=counts, shards=shards, spacing=list(spacing), tables=rows_used)
    return counts


def _frozen(before: dict[str, Any] | None) -> int:
    """Number of shards of the first plan that had something to build; 0 where there was none."""
    if before is None or not before["counts"]["bytes"]:
        return 0
    return int(before["shards"])


def _tables(options: EnrolOptions, base: Path) -> list[str]:
    """Digests of the tables that annotations are read from: a corrected row is a changed input."""
    paths = [base / s.path for s in options.annotations if s.kind is AnnotationKind.TABLE]
    return [digest_of_file(p) for p in paths]


def _annotations(
    options: EnrolOptions, inputs: Inputs, drafts: Sequence[Draft], workspace: Workspace
) -> tuple[list[PlannedAnnotation], list[Issue], dict[str, int]]:
    eligible = {s.id: s for d in drafts for s in d.chosen.values()}
    names, labels = workspace.pseudonyms(), options.contract.labels
    vocabulary = Vocabulary(labels)
    linker = Linker(inputs, eligible, vocabulary, {v.value: k for k, v in labels.items()}, names)
    out: list[PlannedAnnotation] = []
    issues: list[Issue] = []
    used: dict[str, int] = {}
    for number, source in enumerate(options.annotations):
        if source.kind is AnnotationKind.TABLE:
            found = link_table(source, number, inputs, eligible, vocabulary, labels, names)
            out += found.annotations
            issues += found.issues
            used[source.path] = found.used
        else:
            out += linker.link(source)
    return out, [*issues, *linker.issues], used


def _spacing(
    options: EnrolOptions, before: dict[str, Any] | None, drafts: Sequence[Draft], held_out: set[str]
) -> tuple[float, ...]:
    """Target spacing (k, j, i); () for native; the median is frozen by the first run that had cases."""
    if not isinstance(options.spacing, str):
        return tuple(float(v) for v in options.spacing)
    if options.spacing == "native":
        return ()
    frozen = (before or {}).get("spacing")
    if isinstance(frozen, list) and frozen:
        return tuple(float(v) for v in frozen)
    return median_spacing(drafts, options.contract.reference, held_out)


def _set_aside(drafts: Sequence[Draft]) -> list[VerdictRow]:
    """What became of every stack that passed the screen and fills no channel."""
    out = []
    for draft in drafts:
        chosen = {s.id for s in draft.chosen.values()}
        for stack in draft.stacks:
            if stack.id not in chosen:
                reason = draft.set_aside.get(stack.id, "enrol/several-candidates")
                verdict = Verdict.REVIEW if reason == "enrol/several-candidates" else Verdict.REJECT
                out.append(VerdictRow(target=stack.id, verdict=verdict, reason=reason))
    return sorted(out, key=lambda v: v.target)
