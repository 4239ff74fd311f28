"""Small cases, and small stores on disk made the way the build stage makes them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.base import tables
from isocenter.base.files import sync_folder
from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.case import Case
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import CaseRow, LabelState
from isocenter.model.split import Split, SplitRow
from isocenter.model.task import Channel, Label, Task, TaskContract, Window
from isocenter.model.volume import Slice
from isocenter.stages.build.options import Standardise
from isocenter.stores.layout import record_of
from isocenter.stores.manifest import Manifest, sealed, shard_name, write_manifest
from isocenter.stores.shard import BACKENDS
from isocenter.stores.splits import write_split

CHUNK = (8, 16, 16)


MODALITY = {"ct": "CT", "pet": "PT", "mr": "MR"}


def make_case(number: int, shape=(12, 40, 36), channels=("ct",)) -> Case:
    rng = np.random.default_rng(number)
    mask = np.zeros(shape, np.uint8)
    mask[2:6, 10:20, 12:18] = 1
    mask[3:4, 30:33, 5:9] = 2
    rater = mask.copy()
    rater[2:3] = 0
    valid = np.ones(shape, bool)
    valid[0] = False
    affine = np.array([[0.9, 0, 0, -80.5], [0, 0.8, 0, 12.25], [0, 0, 2.5, -300.1], [0, 0, 0, 1]])
    return Case(
        id=f"case-{number:04x}",
        subject=f"subject-{number // 2}",
        site="A",
        timepoint="t0",
        image=rng.integers(-1024, 3071, (len(channels), *shape)).astype(np.int16),
        channels=tuple(channels),
        units=tuple("HU" if c == "ct" else "stored" for c in channels),
        modalities=tuple(MODALITY[c] for c in channels),
        grid=Grid(shape, affine, "frame-1"),
        mask=mask,
        raters={"b/Å": rater, "a": mask},
        valid=valid,
        boxes=np.array([[-70.0, 20.0, -295.0, -64.0, 28.0, -285.0]]),
        boxes_voxel=np.array([[2, 10, 12, 6, 20, 18]], np.int32),
        box_labels=("tumour",),
        labels=(
            LabelState(label="tumour", state="positive", volume_ml=1.25, count=1),
            LabelState(label="node", state="unknown"),
        ),
        attributes=(
            Attribute(name="age", value="61", unit="years"),
            Attribute(name="sex", state=AttributeState.WITHHELD),
        ),
        statistics={c: {"count": 12.0, "mean": 1.5, "std": float("nan")} for c in channels},
        slices=tuple(
            Slice(position_mm=2.5 * k, instance=f"instance-{k}", is_synthetic=k == 3) for k in range(shape[0])
        ),
        issues=(Issue(message="clipped", rule="read/clipped", severity=Severity.NOTE, measured="3"),),
        provenance={"reader": "dicom 1"},
    )


SCALE = {"mean": 1000.0, "std": 200.0, "p0.5": 400.0, "p99.5": 1600.0}


def row_of(case: Case, shard: int) -> CaseRow:
    absent = [c for c in case.channels if c not in case.statistics and len(case.channels) > 1]
    return CaseRow(
        id=case.id,
        subject=case.subject,
        site=case.site,
        timepoint=case.timepoint,
        shard=shard,
        digest="d",
        verdict=case.verdict,
        channels=case.channels,
        shape=case.grid.shape,
        spacing_mm=case.grid.spacing_mm,
        labels=case.labels,
        raters=tuple(sorted(case.raters)),
        attributes=case.attributes,
        statistics=tuple(json.dumps(SCALE if c not in absent else {}) for c in case.channels),
        pixel_digest="p",
    )


def build(
    root: Path,
    cases: list[Case],
    shards: int = 2,
    *,
    task: Task = Task.SEGMENTATION,
    backend: str = "hdf5",
    **changes,
) -> Path:
    (root / "shards").mkdir(parents=True)
    for shard in range(shards):
        mine = sorted((c for n, c in enumerate(cases) if n % shards == shard), key=lambda c: c.id)
        if mine:
            with BACKENDS.get(backend).create(root / shard_name(backend, shard), chunk=CHUNK) as writer:
                for case in mine:
                    writer.put(record_of(case))
    rows = sorted((row_of(c, n % shards) for n, c in enumerate(cases)), key=lambda r: r.id)
    tables.write(root / "cases.parquet", CaseRow, rows)
    names = [shard_name(backend, s) for s in range(min(shards, len(cases)))]
    channels = dict.fromkeys(c for case in cases for c in case.channels)
    manifest = Manifest(
        name="cohort",
        task=TaskContract(
            task=task,
            labels={"tumour": Label(value=1, aliases=("gtv*",)), "node": Label(value=2)},
            channels={c: Channel(modality=MODALITY[c]) for c in channels},
            reference="ct",
        ),
        backend=backend,
        shards=shards,
        chunk=CHUNK,
        orientation="canonical",
        spacing_mm=None,
        hu_range=(-1024, 3071),
        standardise=Standardise().conventions(),
        background={c: -1024.0 if c == "ct" else 0.0 for c in channels},
        windows={"ct": (Window(name="lung", centre=-600, width=1500),)},
        files=tuple(sealed(root, n) for n in sorted(["cases.parquet", *names])),
        version="0.1.0",
    )
    write_manifest(root, replace(manifest, **changes))
    subjects = sorted({c.subject for c in cases})
    rows = tuple(
        SplitRow(subject=s, partition="train" if n % 2 == 0 else "val") for n, s in enumerate(subjects)
    )
    write_split(root, "default", Split(strategy="grouped", seed=3, fractions={"train": 0.5}, rows=rows))
    sync_folder(root)
    return root
