"""Cohorts over a simulated archive, and what a workspace says of each of its files and cases."""

import re
from pathlib import Path

import numpy as np

from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.base.workspace import Workspace
from isocenter.model.issue import Issue
from isocenter.model.rows import CaseRow, FileOutcome, FileRow, PlannedCase, Stack, VerdictRow

LABELS = {
    "lesion": {"value": 1, "aliases": ["GTV*", "tumor", "läsion"]},
    "heart": {"value": 2, "aliases": ["heart", "herz", "cor"]},
}
READERS = [
    {"kind": "objects", "rater": "{reader}", "path": "**/{reader}/*"},
    {
        "kind": "masks",
        "rater": "reader{reader}",
        "path": "{subject}/reader{reader}.nii.gz",
        "image": "{subject}/ct.nii.gz",
    },
    {"kind": "masks", "rater": "reader{reader}", "path": "{subject}/reader{reader}-label.nrrd"},
]


def segmentation(archive: Path, **changes):
    """CT of three centres: RTSTRUCT, NIfTI and NRRD masks."""
    return {
        "name": "phantoms",
        "task": "segmentation",
        "sources": [
            {"path": str(archive / "site-a"), "site": "site-a"},
            {"path": str(archive / "site-b"), "site": "site-b", "subject": {"pattern": ["{subject}/*"]}},
            {"path": str(archive / "site-c"), "site": "site-c", "subject": {"pattern": ["{subject}/**"]}},
        ],
        "channels": {"ct": {"modality": "CT", "path": ["**"]}},
        "labels": LABELS,
        "annotations": READERS,
        "standardise": {"hu_range": None},
        "screen": {"stop_at_rejected_share": 0.9},
        "executor": {"kind": "serial"},
    } | changes


def classification(archive: Path, **changes):
    """Radiographs with a table of class labels, one case per image."""
    names = ("nodule", "effusion", "cardiomegaly")
    table = {
        "kind": "table",
        "path": str(archive / "xray" / "labels.csv"),
        "shape": "labels",
        "key": "subject",
        "columns": {"key": "patient_id", **{n: n for n in names}},
    }
    return {
        "name": "radiographs",
        "task": "classification",
        "unit": "image",
        "sources": [{"path": str(archive / "xray"), "site": "clinic"}],
        "channels": {"xray": {"modality": "DX"}},
        "labels": {n: {"value": v} for v, n in enumerate(names, start=1)},
        "annotations": [table],
        "executor": {"kind": "serial"},
    } | changes


def detection(archive: Path, **changes):
    """Chest CT with a table of nodules as LUNA16 has it."""
    columns = {"key": "seriesuid", "x": "coordX", "y": "coordY", "z": "coordZ"}
    table = {
        "kind": "table",
        "path": str(archive / "nodules" / "nodules.csv"),
        "shape": "centres",
        "key": "series",
        "columns": columns,
        "absent": "negative",
    }
    return {
        "name": "nodules",
        "task": "detection",
        "sources": [{"path": str(archive / "nodules"), "site": "clinic"}],
        "channels": {"ct": {"modality": "CT"}},
        "labels": {"nodule": {"value": 1}},
        "annotations": [table],
        "standardise": {"hu_range": None},
        "split": {"fractions": {"train": 0.5, "test": 0.5}},
        "executor": {"kind": "serial"},
    } | changes


def layout(archive: Path, folder: str, kind: str, **changes):
    """A folder in the layout of nnU-Net or the Decathlon."""
    return {
        "name": kind,
        "task": "segmentation",
        "sources": [{"path": str(archive / folder), "site": kind, "layout": kind}],
        "channels": {"ct": {"modality": "CT"}},
        "labels": LABELS,
        "annotations": [{"kind": "layout"}],
        "standardise": {"hu_range": None},
        "split": {"fractions": {"train": 0.5, "val": 0.5}},
        "executor": {"kind": "serial"},
    } | changes


def written(folder: Path, document) -> Path:
    """The config as a file, with a key beside it: names made by chance would make another split each time."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test.key").write_text("5eed" * 16 + "\n")
    write_yaml(folder / "cohort.yaml", {"key": "test.key"} | document)
    return folder / "cohort.yaml"


class Ledger:
    """What the tables of a workspace say, looked up by the paths of an archive."""

    def __init__(self, root: Path, archive: Path, sources):
        self.root = root
        self.names = Workspace(root).pseudonyms()
        below = [Path(s["path"]).relative_to(archive).as_posix() for s in sources]
        self.files = {
            (Path(below[f.source]) / f.path).as_posix(): f
            for f in tables.read(root / "index/files.parquet", FileRow)
        }
        self.outcomes = {o.file_id: o for o in tables.read(root / "build/files.parquet", FileOutcome)}
        self.stacks = list(tables.read(root / "index/stacks.parquet", Stack))
        self.planned = {c.id: c for c in self._rows("enrol/cases", PlannedCase)}
        self.cases = {c.id: c for c in self._rows("build/cases", CaseRow)}
        self.verdicts = {v.target: v for v in self._rows("screen/verdicts", VerdictRow)}
        self.issues = [
            i for stage in ("index", "screen", "enrol", "build") for i in self._rows(f"{stage}/issues", Issue)
        ]

    def _rows(self, name, kind):
        path = self.root / f"{name}.parquet"
        return list(tables.read(path, kind)) if path.exists() else []

    def outcome(self, path: str) -> FileOutcome:
        """The one state of a file."""
        return self.outcomes[self.files[path].file_id]

    def stack_of(self, path: str) -> Stack | None:
        """The stack that a file is a slice of."""
        file_id = self.files[path].file_id
        return next((s for s in self.stacks if file_id in s.files), None)

    def case_of(self, path: str) -> PlannedCase | None:
        """The case that a file is an image of."""
        stack = self.stack_of(path)
        if stack is None:
            return None
        return next((c for c in self.planned.values() if stack.id in {n.stack for n in c.channels}), None)

    def about(self, path: str) -> set[str]:
        """Every rule and reason that speaks of a file, its stack, series, case or annotation."""
        file_id, stack, case = self.files[path].file_id, self.stack_of(path), self.case_of(path)
        targets = {file_id, self.names.of("ann", file_id)}
        targets |= {stack.id, stack.series} if stack else set()
        targets |= {case.id} if case else set()
        return {i.rule for i in self.issues if i.target in targets}

    def verdict(self, path: str) -> str:
        """What became of the image that a file belongs to: keep, review or reject."""
        case, stack = self.case_of(path), self.stack_of(path)
        if case is not None:
            return (self.cases.get(case.id) or case).verdict
        if stack is not None and self.verdicts[stack.id].verdict == "review":
            return "review"
        return "reject"


def contents(root: Path, *, leave_out=("log.jsonl", ".lock")) -> dict[str, tuple[int, bytes]]:
    """Time and bytes of every file below a folder."""
    return {
        p.relative_to(root).as_posix(): (p.stat().st_mtime_ns, p.read_bytes())
        for p in sorted(root.rglob("*"))
        if p.is_file() and p.name not in leave_out
    }


def data_of(root: Path, *, leave_out=("log.jsonl", ".lock", "secret.key")) -> dict[str, bytes]:
    """Bytes of every file below a folder but the log, the lock and the key."""
    return {name: data for name, (_, data) in contents(root, leave_out=leave_out).items()}


def without_place(text: bytes) -> bytes:
    """A config as run, less what says how and where it was run."""
    return re.sub(rb"(?m)^(executor:\n(  .*\n)*|key:.*\n|.*path: .*\.\./.*\n)", b"", text)


def label_mask(mask, value: int):
    """One label of a label map as the truth digests it."""
    return (np.asarray(mask) == value).astype(np.uint8)
