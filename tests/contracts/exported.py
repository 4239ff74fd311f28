"""Small stores to export: of every task, with labels that overlap, that nobody looked for, and that are known in part."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.base import tables
from isocenter.model.case import SHARE_UNIT, Marks
from isocenter.model.rows import CaseRow, LabelState, OpinionRow
from isocenter.model.split import Split, SplitRow
from isocenter.model.task import Channel, Label, Task, TaskContract
from isocenter.stores.manifest import read_manifest, sealed, write_manifest
from isocenter.stores.splits import write_split
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

SHEARED = np.array([[0.9, 0, 0, -80.5], [0, 0.8, 0.4, 12.25], [0, 0, 2.5, -300.1], [0, 0, 0, 1]])
AFFINES = [
    np.array([[0.9, 0, 0, -80.5], [0, 0.8, 0, 12.25], [0, 0, 2.5, -300.1], [0, 0, 0, 1]]),
    np.array([[-0.7, 0, 0, 80.5], [0, -0.7, 0, 99.25], [0, 0, 3, 12.5], [0, 0, 0, 1]]),
    np.array([[0, 0, 4, -60], [0.6, 0, 0, 5], [0, -0.6, 0, 70], [0, 0, 0, 1]], float),
]


def states(tumour, node):
    """What is known of both labels."""
    return (
        LabelState(label="tumour", state=tumour, volume_ml=1.25 * (tumour == "positive"), count=1),
        LabelState(label="node", state=node, volume_ml=0.5 * (node == "positive")),
    )


def case_of(number, tumour="positive", node="positive", **more):
    """A case of two labels whose masks say what its states say, on one of three grids."""
    case = make_case(number, **more)
    mask = case.mask.copy()
    if tumour in {"negative", "unknown"}:
        mask[mask == 1] = 0
    if node in {"negative", "unknown"}:
        mask[mask == 2] = 0
    affine = AFFINES[number % len(AFFINES)]
    known = {}
    for name, state in (("tumour", tumour), ("node", node)):
        if state == "partial":
            known[name] = np.zeros(mask.shape, bool)
            known[name][2:5] = True
    return replace(
        case,
        mask=mask,
        grid=replace(case.grid, affine=affine),
        known=known,
        labels=states(tumour, node),
        shares={"tumour": np.where(mask == 1, SHARE_UNIT, 0).astype(np.uint16)},
        rater_points=Marks(raters=("a",), labels=("node",), where=np.array([[1.0, 2.0, 3.0, 0.0]])),
        opinions=(OpinionRow(case=case.id, label="tumour", rater="b/Å", state="marked"),),
    )


def plain(root: Path) -> Store:
    """Six cases of three subjects; of two it is not known everywhere what is there."""
    kinds = [("positive", "positive")] * 3 + [
        ("positive", "partial"),
        ("unknown", "positive"),
        ("negative", "negative"),
    ]
    return Store(built(root, [case_of(n, *kind) for n, kind in enumerate(kinds)]))


def two_channels(root: Path) -> Store:
    """CT and PET as float32; the last case has no PET."""
    cases = [case_of(n, channels=("ct", "pet")) for n in range(4)]
    cases = [replace(c, image=c.image.astype(np.float32)) for c in cases]
    cases[3].image[1] = 0
    cases[3] = replace(cases[3], statistics={"ct": {}})
    return Store(built(root, cases))


def nested(root: Path) -> Store:
    """Labels that overlap: every node lies inside a tumour; of the last case it is known in part."""
    made = [layered(case_of(n)) for n in range(6)]
    partial = np.zeros(made[5].grid.shape, bool)
    partial[3:6] = True
    made[5] = replace(made[5], labels=states("positive", "partial"), known={"node": partial})
    return overlapping(built(root, made))


def layered(case):
    """The same case with a plane for each label, the second inside the first."""
    tumour = (case.mask == 1).astype(np.uint8)
    node = np.zeros_like(tumour)
    node[3:5, 12:15, 13:16] = 1
    both = np.stack([tumour, node])
    return replace(case, mask=both, raters={"a": both})


def overlapping(root: Path) -> Store:
    """The store at a folder, said to have labels that may overlap."""
    manifest = read_manifest(root)
    write_manifest(root, replace(manifest, task=replace(manifest.task, overlapping=True)))
    return Store(root)


def with_task(root: Path, task: Task) -> Store:
    """A detection or classification."""
    cases = [
        replace(c, mask=None, raters={}, known={}, shares={}, instances=None)
        for c in (
            case_of(n, *kind)
            for n, kind in enumerate([("positive", "negative")] * 5 + [("positive", "unknown")])
        )
    ]
    return Store(built(root, cases, task=task))


def built(root: Path, cases, **more) -> Path:
    """A store: rows with a digest of each case of its own, a test part, a subject in reserve if there are four."""
    build(root, cases, **more)
    rows = [replace(r, digest=f"digest of {r.id}") for r in tables.read(root / "cases.parquet", CaseRow)]
    tables.write(root / "cases.parquet", CaseRow, rows)
    manifest = read_manifest(root)
    files = tuple(sealed(root, f.name) for f in manifest.files)
    write_manifest(root, replace(manifest, files=files))
    divide(
        root, dict(zip(sorted({c.subject for c in cases}), ("train", "val", "test", "reserve"), strict=False))
    )
    return root


def divide(root: Path, places, name="default"):
    """Give a store a split."""
    rows = tuple(SplitRow(subject=s, partition=p) for s, p in sorted(places.items()))
    write_split(root, name, Split(strategy="grouped", seed=3, fractions={"train": 0.5}, rows=rows))


def contract(**changes) -> TaskContract:
    """The task of these stores."""
    return replace(
        TaskContract(
            task=Task.SEGMENTATION,
            labels={"tumour": Label(value=1), "node": Label(value=2)},
            channels={"ct": Channel(modality="CT")},
            reference="ct",
        ),
        **changes,
    )
