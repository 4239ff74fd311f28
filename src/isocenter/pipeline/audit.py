"""Audit a split of any origin: a store's, a table's, nnU-Net's, MONAI's, that of a BIDS tree, or one in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from isocenter.base.errors import ConfigError, StoreNotFound
from isocenter.base.plugins import did_you_mean
from isocenter.base.progress import Progress, silent
from isocenter.base.workspace import Workspace
from isocenter.imaging.descriptor import Descriptor
from isocenter.model.audited import AuditedImage, AuditedSplit
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.split import Split
from isocenter.pipeline.audit_options import LAYOUTS, AuditOptions
from isocenter.pipeline.audited_store import audited_store, descriptors_of, of_cases, slices_of_store
from isocenter.pipeline.config import load
from isocenter.pipeline.foreign import ForeignSet, audited_splits
from isocenter.pipeline.foreign_bids import is_bids, read_bids
from isocenter.pipeline.foreign_images import Looked, look, told
from isocenter.pipeline.foreign_monai import is_monai, read_monai
from isocenter.pipeline.foreign_nnunet import is_nnunet, read_nnunet
from isocenter.pipeline.foreign_table import TableWords, read_table
from isocenter.pipeline.split_cases import store_at
from isocenter.rules.engine import CATALOGUE, Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.audit.canary import Canary, sing
from isocenter.stages.audit.near_duplicates import Compared, compare
from isocenter.stages.audit.stage import Audit
from isocenter.stages.audit.stage import audit as audit_stage
from isocenter.stores.splits import split_names

_FOREIGN = ScreenOptions(
    ignore={"split/fractions-off-target": "the fractions that a foreign split aimed at are not known"}
)

# What can be asked of a split without its images; that no pixels are read is so anyway.
_OF_A_SPLIT = ("independent", "temporal", "pixels")


def audit(
    path_or_split: str | os.PathLike[str] | Split,
    *,
    splits: str | Sequence[str] | None = None,
    layout: str = "auto",
    subject: str = "{subject}",
    images: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    labels: Sequence[str] = (),
    metadata: Sequence[str] = (),
    independent: bool = False,
    temporal: bool = False,
    pixels: bool = True,
    canary: bool = False,
    seeds: int = 20,
    slices: int = 12,
    rules: ScreenOptions | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Check a split: nobody, no image and no likeness of one in two partitions, and what else makes a test worthless.

    A table needs the columns `subject` and `partition`, or `fold`, or both; it may have `path`, `site`, `group`,
    `labels` (with | between them), `case`, `study`, `volume`, `date`, `external`, `left_out` and `digest` (the same
    for the same images). Of nnU-Net `splits_final.json` is read and a raw data set, of MONAI a datalist, of BIDS
    `participants.tsv` with a column `partition`. Every split of a store and every fold is judged by itself.

    Args:
        path_or_split: A workspace, a store, a CSV or TSV file, a splits_final.json or its folder, a datalist, a
            BIDS tree, a Split.
        splits: Names of the splits or folds to check; all of them by default.
        layout: auto, store, nnunet, monai, bids or table.
        subject: How the subject stands in the name of a case, e.g. `{subject}_{visit}`; by default every case is
            taken for a subject of its own.
        images: Folder that the paths of images start from, where it is not that of the list.
        columns: Column of a table by role: subject, partition, path, site, ...
        labels: Columns of a table that hold 1 or 0 for a label.
        metadata: Further columns of a table that tell the scanner.
        independent: Whether the whole test part is said to come from centres of its own.
        temporal: Whether the test part is said to be later than the training part.
        pixels: Whether images are read.
        canary: Whether to show with random labels what leakage is worth on these images.
        seeds: How many times the canary draws labels.
        slices: Slices of each image that the canary is given, at most.
        rules: Which rules run, with which options; of a workspace, by default, those of its config.
        jobs: How many processes at once; one per core by default.
        progress: Called as the work goes on.

    Raises:
        ConfigError: there is nothing of that layout or name.
        FormatError: the file is not what its name says.
        StoreError: the store or its split cannot be read.
    """
    try:
        options = AuditOptions(
            splits=(splits,) if isinstance(splits, str) else tuple(splits or ()),
            layout=layout,
            subject=subject,
            images=os.fspath(images) if images is not None else "",
            columns=dict(columns or {}),
            labels=tuple(labels),
            metadata=tuple(metadata),
            independent=independent,
            temporal=temporal,
            pixels=pixels,
            canary=canary,
            seeds=seeds,
            slices=slices,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if isinstance(path_or_split, Split):
        made = _in_memory(path_or_split, options)
        return audit_stage([made], engine=Engine(rules or ScreenOptions()))
    return audit_at(
        Path(path_or_split),
        options,
        rules=rules,
        jobs=jobs or os.cpu_count() or 1,
        progress=progress or silent,
    )


def audit_at(
    path: Path, options: AuditOptions, *, rules: ScreenOptions | None, jobs: int, progress: Progress
) -> Audit:
    """Check the splits at a path, as `audit` does.

    Raises:
        ConfigError: there is nothing of that layout or name.
        FormatError: the file is not what its name says.
        StoreError: the store or its split cannot be read.
    """
    kind = layout_of(path, options.layout)
    if kind == "store":
        return _audit_store(path, options, rules, jobs, progress)
    return _audit_foreign(_read(path, kind, options), options, rules or _FOREIGN, jobs, progress)


def layout_of(path: Path, layout: str) -> str:
    """The layout of what is at a path.

    Raises:
        ConfigError: nothing is there, or there is no such layout.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"no layout {layout!r}{did_you_mean(layout, list(LAYOUTS))}")
    if not path.exists():
        raise ConfigError(f"there is no {path.name}")
    if layout != "auto":
        return layout
    if path.is_dir():
        if is_nnunet(path):
            return "nnunet"
        return "bids" if is_bids(path) and not _is_store(path) else "store"
    if is_monai(path):
        return "monai"
    return "nnunet" if path.suffix == ".json" else "table"


def _is_store(path: Path) -> bool:
    try:
        store_at(path)
    except StoreNotFound:
        return False
    return True


def _read(path: Path, kind: str, options: AuditOptions) -> ForeignSet:
    images = Path(options.images) if options.images else None
    if images is not None and not images.is_dir():
        raise ConfigError(f"images: there is no folder {images.name}")
    if kind == "nnunet":
        return read_nnunet(path, options.subject, images=images)
    if kind == "monai":
        return read_monai(path, options.subject, images=images)
    words = TableWords(
        columns=options.columns,
        labels=options.labels,
        metadata=options.metadata,
        subject=options.subject,
        images=images,
    )
    return read_bids(path, words) if kind == "bids" else read_table(path, words)


def _audit_foreign(
    found: ForeignSet, options: AuditOptions, rules: ScreenOptions, jobs: int, progress: Progress
) -> Audit:
    wanted = _wanted(options.splits, [s.name for s in found.splits])
    found = replace(found, splits=tuple(s for s in found.splits if s.name in wanted))
    named = [i for i in found.images.values() if i.path is not None]
    notes = list(found.notes)
    looked = Looked(seen={}, descriptors={}, slices=(), failed={})
    if options.pixels:
        looked = look(named, jobs=jobs, progress=progress, slices=options.slices if options.canary else 0)
    compared = len(set(looked.seen) - set(looked.failed))
    notes.append(
        f"images compared by their pixels: {compared}"
        if compared
        else "no image was read: what is equal or alike was looked for by names and digests alone"
    )
    found_alike = _alike(looked.descriptors, jobs, progress)
    twins = [replace(p, a=looked.image_of[p.a], b=looked.image_of[p.b]) for p in found_alike.pairs]
    audited = audited_splits(
        found,
        looked.seen,
        (t for t in twins if t.a != t.b),
        is_independent=options.independent,
        is_temporal=options.temporal,
    )
    done = audit_stage(audited, engine=Engine(rules), notes=notes)
    bird = None
    if options.canary:
        bird = _canary([(found.images[n].subject, s) for n, s in looked.slices], options.seeds)
    unread = _unread(looked, found.lost if options.pixels else 0)
    return replace(
        done,
        canary=bird,
        compared=compared if options.pixels and (named or found.lost) else None,
        issues=(*done.issues, *found.issues, *unread, *_dropped(found_alike), *_silent(options, bird)),
    )


def _audit_store(
    path: Path, options: AuditOptions, rules: ScreenOptions | None, jobs: int, progress: Progress
) -> Audit:
    root = store_at(path)
    workspace = Workspace(path) if root != path else None
    names = sorted(_wanted(options.splits, split_names(root)))
    notes = []
    descriptors = descriptors_of(root, workspace, progress) if options.pixels else {}
    notes.append(
        f"images compared by their pixels: {len(descriptors)}"
        if descriptors
        else "no image was read: equal images were looked for by the digests of the store alone"
    )
    alike = _alike(descriptors, jobs, progress)
    audited = audited_store(
        root,
        workspace,
        of_cases(alike.pairs),
        names,
        is_independent=options.independent,
        is_temporal=options.temporal,
    )
    done = audit_stage(audited, engine=Engine(rules or rules_at(workspace)), notes=notes)
    bird = None
    if options.canary:
        bird = _canary(slices_of_store(root, options.slices, progress), options.seeds)
    return replace(done, canary=bird, issues=(*done.issues, *_dropped(alike), *_silent(options, bird)))


def rules_at(workspace: Workspace | None) -> ScreenOptions:
    """The rules as the config of a workspace has them; all, as they are, where there is none."""
    if workspace is None or not workspace.config.exists():
        return ScreenOptions()
    config = load(workspace.config)
    share = {"split/too-few-external-subjects": {"min_share": config.split.min_external_share}}
    said = config.screen
    options = {**said.options, **{n: {**own, **said.options.get(n, {})} for n, own in share.items()}}
    return ScreenOptions(select=said.select, ignore=said.ignore, severity=said.severity, options=options)


def ignoring(path: Path, reasons: Mapping[str, str]) -> ScreenOptions:
    """The rules that an audit of a path would run, without some of them.

    Raises:
        ConfigError: there is no such rule.
    """
    known = [*CATALOGUE.names(), *{n.partition("/")[0] for n in CATALOGUE.names()}]
    if unknown := [n for n in reasons if n not in known]:
        raise ConfigError(f"there is no rule {unknown[0]!r}{did_you_mean(unknown[0], known)}")
    usual = rules_at(Workspace(path)) if _is_store(path) else _FOREIGN
    return replace(usual, ignore={**usual.ignore, **reasons})


def _in_memory(split: Split, options: AuditOptions) -> AuditedSplit:
    """A split of which nothing but its rows is known.

    Raises:
        ConfigError: an option is about images or files, of which a split in memory has none.
    """
    usual = AuditOptions()
    for name in (f.name for f in fields(AuditOptions) if f.name not in _OF_A_SPLIT):
        if getattr(options, name) != getattr(usual, name):
            raise ConfigError(
                f"{name} is for images and files; a Split in memory has none: audit its workspace"
            )
    images = (
        AuditedImage(id=case, subject=r.subject, partition=r.partition, site=r.site, labels=r.labels)
        for r in split.rows
        for case in r.cases
        if r.is_present
    )
    return AuditedSplit(
        split=split,
        images=tuple(images),
        is_independent=options.independent,
        is_temporal=options.temporal or split.strategy == "temporal",
    )


def _alike(descriptors: Mapping[str, Descriptor], jobs: int, progress: Progress) -> Compared:
    if len(descriptors) < 2:
        return Compared(pairs=[], looks=0, dropped=0)
    return compare(descriptors, jobs=jobs, progress=progress)


def _dropped(found: Compared) -> list[Issue]:
    """A word on the pairs that were too many to be compared."""
    if not found.dropped:
        return []
    return [because("audit/pairs-not-compared", measured=f"{found.dropped} pairs", expected="all compared")]


def _canary(slices: Sequence[tuple[str, np.ndarray]], seeds: int) -> Canary | None:
    if not slices:
        return None
    return sing(np.stack([v for _, v in slices]), [s for s, _ in slices], seeds=seeds)


def _unread(looked: Looked, lost: int) -> list[Issue]:
    """What could not be read, images and masks apart; `lost` counts those that have no image at all."""
    images = told([*looked.failed.values(), *["file/not-there"] * lost])
    masks = told(looked.failed_masks.values())
    out = []
    if images:
        out.append(
            because("audit/unread-images", measured=images, expected="every image read", unit="images")
        )
    if masks:
        out.append(because("audit/unread-masks", measured=masks, expected="every mask read", unit="masks"))
    return out


def _silent(options: AuditOptions, bird: Canary | None) -> list[Issue]:
    return [because("audit/no-canary")] if options.canary and bird is None else []


def _wanted(splits: Sequence[str], known: Sequence[str]) -> set[str]:
    wanted = list(splits or known)
    if unknown := [s for s in wanted if s not in known]:
        raise ConfigError(f"no split {unknown[0]!r}{did_you_mean(unknown[0], list(known))}")
    if not wanted:
        raise ConfigError("there is no split to check")
    return set(wanted)
