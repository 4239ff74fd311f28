"""ReportFacts: everything the report is told, read out of a workspace's tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from isocenter.base import tables
from isocenter.base.files import read_json
from isocenter.base.workspace import Workspace
from isocenter.model.augmented import Augmented
from isocenter.model.issue import Issue, Verdict
from isocenter.model.modality import is_defined
from isocenter.model.name_rows import NameRow
from isocenter.model.rows import (
    AgreementRow,
    CaseRow,
    FileOutcome,
    FileRow,
    OpinionRow,
    PerformanceRow,
    PlannedCase,
    PreviewRow,
    Stack,
    ValueCount,
    VerdictRow,
)
from isocenter.model.split import SplitRow
from isocenter.model.task import TaskContract, Window
from isocenter.report.selection import chosen_cases

# Header attributes whose values may be shown: free text (descriptions, comments) may name people.
SHOWN_ATTRIBUTES = (
    "modality",
    "manufacturer",
    "model",
    "convolution_kernel",
    "kvp",
    "field_strength_t",
    "contrast_agent",
    "body_part",
    "slice_thickness_mm",
)
STAGES = ("index", "screen", "enrol", "build", "split", "audit")

NOT_JUDGED = {"enrol/not-wanted": "enrol/not-wanted", "enrol/annotation-of-nothing": "a mask, no image"}

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFacts:
    """One split of the store: who went where, and what `splits/<name>.json` says of how."""

    name: str
    rows: tuple[SplitRow, ...]
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """What the report shows; a table is None where its stage has not run.

    Args:
        title: Heading of the page.
        contract: Task, labels and channels; None: labels go by their values.
        windows: The window of each channel's preview, by channel.
        min_dice: Below this Dice a case goes to review.
        min_f1: Below this F1 of boxes a case goes to review.
        gallery: Cases shown as pictures, at most.
        gate: The sentence of the gate that closed, "" where none did.
        run: Provenance of `run.json`.
        done: What each finished stage left in `done.json`.
        kinds: Number of files by kind.
        outcomes: The one state of every file.
        values: How often header values occur, of the attributes that may be shown.
        issues: What was seen, by any stage.
        stacks: The image stacks found.
        verdicts: Verdict by target.
        not_judged: Stacks that no channel asks for, and why: not wanted, a mask, or without a modality.
        planned: The cases that were to be built.
        names: The names that annotations hold, and the labels that they stand for.
        cases: The cases that were packed.
        agreements: How far raters agree.
        performances: How good a consensus method takes each rater to be.
        opinions: What each rater said of each label.
        previews: Planes of the cases chosen for the gallery.
        splits: The splits of the store, by name.
        audit: What the leak audit found, as plain data.
        augmented: Patches as they are and as a policy makes them.
    """

    title: str = "What became of your archive"
    contract: TaskContract | None = None
    windows: Mapping[str, Window] = field(default_factory=dict)
    min_dice: float = 0.7
    min_f1: float = 0.7
    gallery: int = 60
    gate: str = ""
    run: Mapping[str, Any] | None = None
    done: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    kinds: Mapping[str, int] | None = None
    outcomes: tuple[FileOutcome, ...] | None = None
    values: tuple[ValueCount, ...] | None = None
    issues: tuple[Issue, ...] | None = None
    stacks: tuple[Stack, ...] | None = None
    verdicts: Mapping[str, str] | None = None
    not_judged: Mapping[str, str] = field(default_factory=dict)
    planned: tuple[PlannedCase, ...] | None = None
    names: tuple[NameRow, ...] | None = None
    cases: tuple[CaseRow, ...] | None = None
    agreements: tuple[AgreementRow, ...] | None = None
    performances: tuple[PerformanceRow, ...] = ()
    opinions: tuple[OpinionRow, ...] = ()
    previews: tuple[PreviewRow, ...] | None = None
    splits: tuple[SplitFacts, ...] = ()
    audit: Mapping[str, Any] | None = None
    augmented: tuple[Augmented, ...] | None = None

    @property
    def split(self) -> SplitFacts | None:
        """The split that the report speaks of: the default one, else the first by name."""
        return next((s for s in self.splits if s.name == "default"), next(iter(self.splits), None))

    def partition_of_cases(self) -> dict[str, str]:
        """Partition of every case in the split."""
        rows = self.split.rows if self.split else ()
        return {case: row.partition for row in rows for case in row.cases}


def read_facts(
    workspace: Workspace,
    *,
    title: str = "What became of your archive",
    contract: TaskContract | None = None,
    windows: Mapping[str, Window] | None = None,
    min_dice: float = 0.7,
    min_f1: float = 0.7,
    gallery: int = 60,
    gate: str = "",
) -> ReportFacts:
    """Read what there is; paths and other identifiers of the index are not read into the facts."""
    root = workspace.root
    run = read_json(root / "run.json") if (root / "run.json").exists() else None
    built = _rows(root / "build/cases.parquet", CaseRow)
    cases = None if built is None else tuple(c for c in built if c.verdict != Verdict.REJECT)
    files = _rows(root / "index/files.parquet", FileRow)
    verdicts = _rows(root / "screen/verdicts.parquet", VerdictRow)
    outcomes = _rows(root / "build/files.parquet", FileOutcome)
    if outcomes is None:
        outcomes = _rows(root / "enrol/files.parquet", FileOutcome)
    return ReportFacts(
        title=title,
        contract=contract,
        windows=windows or {},
        min_dice=min_dice,
        min_f1=min_f1,
        gallery=gallery,
        gate=gate or str((run or {}).get("gate") or ""),
        run=run,
        done={s: d for s in STAGES if (d := workspace.done(s)) is not None},
        kinds=None if files is None else dict(sorted(Counter(f.kind for f in files).items())),
        outcomes=outcomes,
        values=_values(root / "index/values.parquet"),
        issues=_issues(root),
        stacks=_rows(root / "index/stacks.parquet", Stack),
        verdicts=None if verdicts is None else {v.target: v.verdict for v in verdicts},
        not_judged={v.target: v.reason for v in verdicts or () if not v.channels and v.reason},
        planned=_rows(root / "enrol/cases.parquet", PlannedCase),
        names=_rows(root / "enrol/names.parquet", NameRow),
        cases=cases,
        agreements=_rows(root / "build/agreements.parquet", AgreementRow),
        performances=_rows(root / "build/performances.parquet", PerformanceRow) or (),
        opinions=tuple(_rows(root / "build/opinions.parquet", OpinionRow) or ()),
        previews=_previews(root / "build/previews.parquet", cases or (), gallery),
        splits=_splits(workspace.store / "splits"),
        audit=read_json(root / "audit/audit.json") if workspace.done("audit") else None,
    )


def _rows(path: Path, row_type: type[Row]) -> tuple[Row, ...] | None:
    return tuple(tables.read(path, row_type)) if path.exists() else None


def _values(path: Path) -> tuple[ValueCount, ...] | None:
    if not path.exists():
        return None
    shown = [v for v in tables.read(path, ValueCount) if v.attribute in SHOWN_ATTRIBUTES]
    return _defined(shown)


def _defined(values: Sequence[ValueCount]) -> tuple[ValueCount, ...]:
    """The values, with every modality that is no term of the standard as "other": a header may hold anything."""
    out = [v for v in values if v.attribute != "modality" or not v.value or is_defined(v.value)]
    others = sum(v.count for v in values) - sum(v.count for v in out)
    if others:
        out.append(ValueCount(attribute="modality", value="other", count=others))
    return tuple(out)


def _issues(root: Path) -> tuple[Issue, ...] | None:
    """Issues of all stages; one that a later stage repeats counts once."""
    found = [_rows(root / stage / "issues.parquet", Issue) for stage in STAGES]
    if all(f is None for f in found):
        return None
    return tuple(dict.fromkeys(i for f in found for i in f or ()))


def _previews(path: Path, cases: tuple[CaseRow, ...], most: int) -> tuple[PreviewRow, ...] | None:
    """Only the chosen cases' planes are kept in memory."""
    if not path.exists():
        return None
    chosen = {c.id for c in chosen_cases(cases, most)}
    return tuple(p for p in tables.read(path, PreviewRow) if p.case in chosen)


def _splits(folder: Path) -> tuple[SplitFacts, ...]:
    out = []
    for path in sorted(folder.glob("*.parquet")):
        about = path.with_suffix(".json")
        facts = read_json(about) if about.exists() else {}
        rows = tuple(r for r in tables.read(path, SplitRow) if r.is_present)
        out.append(SplitFacts(name=path.stem, rows=rows, about=facts.get("split", facts)))
    return tuple(out)
