"""Our own stores and workspaces, as the auditor sees them: every case, where it is, and what was fitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.base import arrow, tables
from isocenter.base.progress import Progress, follow
from isocenter.base.workspace import Workspace
from isocenter.imaging.descriptor import Descriptor, descriptor_of
from isocenter.loading.selection import FOLD
from isocenter.model.audited import AuditedImage, AuditedSplit, FittedOn
from isocenter.model.descriptor_rows import DescriptorRow, Pair
from isocenter.model.issue import Verdict
from isocenter.model.rows import CaseRow, PlannedCase, Stack
from isocenter.model.split import UNUSED, Partition, Split
from isocenter.pipeline.audited_facts import attribute_facts, shape_facts
from isocenter.stages.audit.canary_slices import slices_of
from isocenter.stores.fitted import digest_of_cases, fitted_names, read_fitted
from isocenter.stores.splits import read_split
from isocenter.stores.store import Store


def audited_store(
    root: Path,
    workspace: Workspace | None,
    pairs: Sequence[Pair],
    names: Iterable[str],
    *,
    is_independent: bool,
    is_temporal: bool,
) -> list[AuditedSplit]:
    """The splits of a store with all that is known of their cases.

    Args:
        root: The store.
        workspace: The workspace it lies in, which knows studies, dates and what was left out; None of a store alone.
        pairs: Cases that show the same.
        names: The splits to look at.
        is_independent: Whether the whole test part is said to be of other centres.
        is_temporal: Whether the test part is said to be later.
    """
    cases = list(tables.read(root / "cases.parquet", CaseRow))
    known = _Known(workspace)
    out = []
    for name in names:
        split = replace(read_split(root, name), id=name)
        place = {r.subject: r.partition for r in split.rows}
        images = [known.image(c, place.get(c.subject, "")) for c in cases if c.verdict != Verdict.REJECT]
        out.append(
            AuditedSplit(
                split=split,
                images=(*images, *known.left_out(place)),
                twins=tuple(pairs),
                fitted=tuple(_fitted(root, split, cases)),
                is_independent=is_independent,
                is_temporal=is_temporal or split.strategy == "temporal",
            )
        )
    return out


class _Known:
    """What the tables of a workspace say of cases beyond the store; nothing where there is no workspace."""

    def __init__(self, workspace: Workspace | None) -> None:
        self._planned: dict[str, PlannedCase] = {}
        self._stacks: dict[str, Stack] = {}
        self._dates: dict[str, str] = {}
        self._built: dict[str, CaseRow] = {}
        root = workspace.root if workspace else None
        if (
            root is None
            or not (root / "enrol/cases.parquet").exists()
            or not (root / "index/stacks.parquet").exists()
        ):
            return
        self._planned = {p.id: p for p in tables.read(root / "enrol/cases.parquet", PlannedCase)}
        wanted = {c.stack for p in self._planned.values() for c in p.channels}
        self._stacks = {s.id: s for s in tables.read(root / "index/stacks.parquet", Stack) if s.id in wanted}
        self._dates = _dates(root / "index/instances.parquet")
        if (root / "build/cases.parquet").exists():
            self._built = {c.id: c for c in tables.read(root / "build/cases.parquet", CaseRow)}

    def image(self, case: CaseRow, partition: str) -> AuditedImage:
        """A packed case."""
        stacks = self._stacks_of(case.id)
        facts = (*attribute_facts(case.attributes), *shape_facts(case.shape, case.spacing_mm))
        return AuditedImage(
            id=case.id,
            subject=case.subject,
            partition=partition,
            site=case.site,
            studies=tuple(dict.fromkeys(s.study for s in stacks if s.format == "dicom")),
            volumes=tuple(dict.fromkeys(s.id for s in stacks)),
            digest=case.pixel_digest,
            date=min((d for s in stacks for f in s.files[:1] if (d := self._dates.get(f, ""))), default=""),
            labels=tuple(sorted({s.label for s in case.labels if s.state == "positive"})),
            facts=tuple(sorted(dict(facts).items())),
        )

    def left_out(self, place: Mapping[str, str]) -> list[AuditedImage]:
        """Cases of the split's subjects that were planned and not packed, with the rule that decided."""
        out = []
        for planned in self._planned.values():
            built = self._built.get(planned.id)
            is_out = not planned.is_to_build or (built is not None and built.verdict == Verdict.REJECT)
            if is_out:
                out.append(
                    AuditedImage(
                        id=planned.id,
                        subject=planned.subject,
                        partition=place.get(planned.subject, ""),
                        site=planned.site,
                        left_out=planned.reason or "rejected by a rule on its voxels",
                    )
                )
        return out

    def _stacks_of(self, case: str) -> list[Stack]:
        planned = self._planned.get(case)
        return [self._stacks[c.stack] for c in planned.channels if c.stack in self._stacks] if planned else []


def _dates(path: Path) -> dict[str, str]:
    """Study date of every file, as YYYY-MM-DD; it goes no further than the distance in days."""
    if not path.exists():
        return {}
    rows = tables.read_table(path, ["file_id", "study_date"])
    both = zip(arrow.values(rows, "file_id"), arrow.values(rows, "study_date"), strict=True)
    return {f: f"{d[:4]}-{d[4:6]}-{d[6:8]}" for f, d in both if d and len(d) == 8 and d.isdecimal()}


def _fitted(root: Path, split: Split, cases: Sequence[CaseRow]) -> Iterable[FittedOn]:
    """What was fitted for a split, compared with the cases that are its training part now."""
    for name, fold in fitted_names(root):
        found = read_fitted(root, name, fold) if name == split.id else None
        if found is None:
            continue
        subjects = {r.subject for r in split.rows if _is_training(r.partition, fold)}
        training = [(c.id, c.digest) for c in cases if c.subject in subjects and c.verdict != Verdict.REVIEW]
        yield FittedOn(
            name="normalisation" if fold is None else f"normalisation of fold {fold}",
            cases=found.cases,
            training=len(training),
            is_training=found.digest == digest_of_cases(training),
        )


def _is_training(partition: str, fold: int | None) -> bool:
    if fold is None:
        return partition == Partition.TRAIN
    return partition not in {f"{FOLD}{fold}", Partition.TEST, *UNUSED}


def descriptors_of(root: Path, workspace: Workspace | None, progress: Progress) -> dict[str, Descriptor]:
    """The descriptor of every channel of every case, "case channel": those of the build, else made of the store."""
    table = workspace.root / "build" / "descriptors.parquet" if workspace else None
    cases = {c.id for c in tables.read(root / "cases.parquet", CaseRow) if c.verdict != Verdict.REJECT}
    if table is not None and table.exists():
        rows = (r for r in tables.read(table, DescriptorRow) if r.case in cases)
        return {f"{r.case} {r.channel}": _descriptor(r) for r in rows}
    if not (root / "manifest.json").exists():
        return {}
    store, out = Store(root), {}
    for name in follow(sorted(cases), progress, stage="audit", total=len(cases), unit="cases"):
        case = store[name]
        valid = None if case.valid is None else np.asarray(case.valid)
        for n, channel in enumerate(case.channels):
            out[f"{name} {channel}"] = descriptor_of(np.asarray(case.image[n]), case.grid, valid=valid)
    return out


def _descriptor(row: DescriptorRow) -> Descriptor:
    k, j, i = row.extent_mm
    return Descriptor(
        exact=row.exact,
        vector=np.frombuffer(row.vector, "<f4").astype(np.float32),
        picture=np.frombuffer(row.picture, np.uint8).reshape(row.picture_shape),
        extent_mm=(k, j, i),
        version=row.version,
    )


def of_cases(pairs: Iterable[Pair]) -> list[Pair]:
    """Pairs of channels as pairs of cases: the surest of each two cases."""
    best: dict[tuple[str, str], Pair] = {}
    order = ("same-pixels", "near-duplicate", "mirrored", "cropped")
    for pair in pairs:
        a, b = sorted((pair.a.partition(" ")[0], pair.b.partition(" ")[0]))
        if a == b:
            continue
        made = replace(pair, a=a, b=b)
        known = best.get((a, b))
        if known is None or (order.index(made.kind), -made.score) < (order.index(known.kind), -known.score):
            best[a, b] = made
    return [best[key] for key in sorted(best)]


def slices_of_store(root: Path, count: int, progress: Progress) -> list[tuple[str, np.ndarray]]:
    """Slices of every case's first channel for the canary, with its subject."""
    store = Store(root)
    by_case: dict[str, str] = {c.id: c.subject for c in store.rows() if c.verdict != Verdict.REJECT}
    out = []
    for name in follow(sorted(by_case), progress, stage="canary", total=len(by_case), unit="cases"):
        case = store[name]
        out += [(by_case[name], s) for s in slices_of(np.asarray(case.image[0]), count)]
    return out
