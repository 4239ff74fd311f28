"""Enrol: stacks that passed the screen and the annotations on them become planned cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from isocenter.base import tables
from isocenter.base.digests import digest_of_file
from isocenter.base.errors import ConfigError
from isocenter.base.workspace import Workspace
from isocenter.model.issue import Issue, Verdict
from isocenter.model.name_rows import NameRow
from isocenter.model.rows import FileRow, PlannedAnnotation, PlannedCase, VerdictRow
from isocenter.model.vocabulary import Vocabulary
from isocenter.stages.enrol.absence import Silence, silences
from isocenter.stages.enrol.candidates import Draft, draft_cases, speakers_of
from isocenter.stages.enrol.decisions import read_decisions
from isocenter.stages.enrol.frozen import Frozen
from isocenter.stages.enrol.inputs import Inputs
from isocenter.stages.enrol.intents import tell_mixed_intents
from isocenter.stages.enrol.label_names import tables_of
from isocenter.stages.enrol.link import Linker
from isocenter.stages.enrol.naming import Met, name_rows
from isocenter.stages.enrol.options import AnnotationKind, AnnotationSource, EnrolOptions
from isocenter.stages.enrol.plan import attach, by_stack, plan_case, shard_of
from isocenter.stages.enrol.tables import link_table
from isocenter.stages.enrol.units import tell_mixed_units

STAGE = "enrol"
VERSION = 6

# What may be wrong with a further annotation of an image, and what a person must then look at.
_UNCLEAR = {"enrol/ambiguous-annotation", "enrol/unreadable-annotation"}
_TO_CASES = _UNCLEAR | {"enrol/other-subject", "enrol/several-regions"}

# What an annotation that is read from a file says label by label, where it says it.
_BY_LABEL = ("keys", "labels", "states", "slices")


def enrol(
    options: EnrolOptions,
    workspace: Workspace,
    *,
    base: Path,
    held_out: set[str],
    max_case_bytes: int,
    roots: tuple[Path, ...] = (),
) -> dict[str, int]:
    """Make the plan of all cases.

    Args:
        options: Contract, annotation sources, store layout.
        workspace: Where index and screen are read and the plan is written.
        base: Folder that relative paths of tables start from.
        held_out: Subjects that an earlier split holds out; they shape no fitted quantity.
        max_case_bytes: A larger case is refused.
        roots: Folders of the sources.

    Returns:
        Counts: cases, keep, review, reject, shards, bytes.
    """
    index, screen = workspace.done("index"), workspace.done("screen")
    form, read = tables.form_of(PlannedCase, Issue), _tables(options, workspace, base, roots)
    upstream = [index and index["key"], screen and screen["key"]]
    decisions = read_decisions(workspace)
    said = sorted(decisions.items())
    key = workspace.key_of(STAGE, VERSION, form, options, upstream, read, max_case_bytes, said)
    before = workspace.done(STAGE)
    if before is not None and before["key"] == key:
        return dict(before["counts"])
    folder = workspace.start(STAGE)
    names = workspace.pseudonyms()
    index_issues = list(tables.read(workspace.table("index", "issues"), Issue))
    inputs = Inputs.read(workspace, base, {i.target for i in index_issues}, roots)
    drafts = draft_cases(inputs, options.contract, options.unit)
    tell_mixed_intents(drafts, options.contract.channels)
    tell_mixed_units(drafts, options.contract.channels, options.pet)
    annotations, issues, rows_used, silent, met = _annotations(options, inputs, drafts, workspace)
    _tell_cases(drafts, issues)
    frozen = Frozen(folder / "frozen.json", options)
    spacing = frozen.spacing_mm(drafts, held_out)
    on = by_stack(annotations)
    cases: list[PlannedCase] = []
    for draft in drafts:
        own = attach(draft, on, options, silent)
        planned, found = plan_case(draft, own, inputs, options, spacing, names, max_case_bytes, decisions)
        cases.append(planned)
        issues += found
    shards = frozen.shards(cases)
    frozen.keep()
    cases = sorted((replace(c, shard=shard_of(c.id, shards)) for c in cases), key=lambda c: c.id)
    _write(folder, cases, issues, drafts)
    tables.write(folder / "names.parquet", NameRow, name_rows(met))
    verdicts = Counter(c.verdict for c in cases)
    counts = {
        "cases": len(cases),
        **{v.value: verdicts[v.value] for v in Verdict},
        "shards": shards,
        "bytes": sum(c.bytes_estimated for c in cases if c.is_to_build),
    }
    workspace.finish(STAGE, key, counts=counts, shards=shards, spacing=list(spacing), tables=rows_used)
    return counts


def _write(
    folder: Path, cases: Sequence[PlannedCase], issues: Sequence[Issue], drafts: Sequence[Draft]
) -> None:
    tables.write(folder / "cases.parquet", PlannedCase, cases)
    ordered = sorted(issues, key=lambda i: (i.target, i.rule, i.measured))
    tables.write(folder / "issues.parquet", Issue, ordered)
    tables.write(folder / "stacks.parquet", VerdictRow, _set_aside(drafts))


def _tables(options: EnrolOptions, workspace: Workspace, base: Path, roots: tuple[Path, ...]) -> list[str]:
    """Digests of the tables that annotations are read from: a corrected row is a changed input."""
    paths = [base / s.path for s in options.annotations if s.kind is AnnotationKind.TABLE]
    named = [s for s in options.annotations if s.names]
    paths += [base / s.names for s in named if not s.has_names_by_path]
    beside = [s for s in named if s.has_names_by_path]
    if beside:
        files = {r.file_id: r for r in tables.read(workspace.table("index", "files"), FileRow)}
        paths += [path for source in beside for _, path in tables_of(source, roots, files)]
    try:
        return [digest_of_file(p) for p in paths]
    except OSError as error:
        raise ConfigError(f"a table of annotations cannot be read ({error.strerror})") from None


def _annotations(
    options: EnrolOptions, inputs: Inputs, drafts: Sequence[Draft], workspace: Workspace
) -> tuple[list[PlannedAnnotation], list[Issue], dict[str, int], list[Silence], Met]:
    eligible = {s.id: s for d in drafts for s in d.chosen.values()}
    names, labels = workspace.pseudonyms(), options.contract.labels
    speakers = speakers_of(drafts, options.contract.reference)
    vocabulary = Vocabulary(labels)
    linker = Linker(inputs, eligible, vocabulary, {v.value: k for k, v in labels.items()}, names, speakers)
    out: list[PlannedAnnotation] = []
    issues: list[Issue] = []
    used: dict[str, int] = {}
    taken: set[tuple[str, str]] = set()
    by_source: list[list[PlannedAnnotation]] = []
    unclear: list[set[str]] = []
    for number, source in enumerate(options.annotations):
        told = len(linker.issues)
        if source.kind is AnnotationKind.TABLE:
            stacks = _reference_or_any(source, options, drafts)
            found = link_table(source, number, inputs, stacks, vocabulary, labels, names, speakers)
            by_source.append(found.annotations)
            out += found.annotations
            issues += found.issues
            used[source.path] = found.used
            linker.met.update(found.met)
        else:
            by_source.append(linker.link(source, number))
            out += _without_repeats(by_source[-1], taken)
        unclear.append({i.target for i in linker.issues[told:] if i.rule in _UNCLEAR})
    return out, [*issues, *linker.issues], used, silences(options, by_source, unclear), linker.met


def _reference_or_any(source: AnnotationSource, options: EnrolOptions, drafts: Sequence[Draft]) -> set[str]:
    """Stacks that a table may speak of; a row about a person or a study counts once, on the reference image."""
    if source.key not in {"subject", "study"}:
        return {s.id for d in drafts for s in d.chosen.values()}
    references = (d.chosen.get(options.contract.reference) for d in drafts)
    return {s.id for s in references if s is not None}


def _without_repeats(
    found: Iterable[PlannedAnnotation], taken: set[tuple[str, str]]
) -> list[PlannedAnnotation]:
    """What is new in a source: the first source that reads a label from a file decides whose mark it is."""
    out = []
    for annotation in found:
        new = [n for n, label in enumerate(annotation.labels) if (annotation.id, label) not in taken]
        if new:
            out.append(_only(annotation, new))
        elif not annotation.labels and (annotation.id, "") not in taken:
            out.append(annotation)  # it is the image's, though no name in it is a label
    taken |= {(a.id, label) for a in out for label in a.labels or ("",)}
    return out


def _only(annotation: PlannedAnnotation, numbers: Sequence[int]) -> PlannedAnnotation:
    """An annotation of a file with some of its labels, and all that stands beside these."""
    said = {name: getattr(annotation, name) for name in _BY_LABEL}
    kept: dict[str, Any] = {k: tuple(v[n] for n in numbers) for k, v in said.items() if v}
    return replace(annotation, **kept)


def _tell_cases(drafts: Sequence[Draft], issues: Sequence[Issue]) -> None:
    """A case one of whose images might have another annotation than it seems is for a person to look at."""
    unclear: dict[str, list[Issue]] = {}
    for issue in issues:
        if issue.rule in _TO_CASES and issue not in unclear.setdefault(issue.target, []):
            unclear[issue.target].append(issue)
    for draft in drafts:
        for stack in sorted({s.id for s in draft.chosen.values()} & unclear.keys()):
            draft.issues += unclear[stack]


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
