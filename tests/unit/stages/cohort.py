"""A cohort of tiny NIfTI volumes, and what a run makes of it."""

from pathlib import Path

import nibabel
import numpy as np

import isocenter
from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.model.rows import CaseRow

SHAPE = (8, 7, 6)  # i, j, k as nibabel has it


class Cohort:
    """Patients in folders of NIfTI files, and one run over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.document = {
            "name": "n",
            "task": "segmentation",
            "sources": [{"path": "data", "site": "s", "subject": {"pattern": ["{subject}/*"]}}],
            "channels": {"ct": {"modality": "CT", "path": ["*/ct.nii"]}},
            "labels": {"lesion": {"value": 1}, "heart": {"value": 2}},
            "annotations": [
                {"kind": "masks", "rater": "{r}", "path": "{s}/mask{r}.nii", "image": "{s}/ct.nii"}
            ],
            "screen": {"select": ["case"]},
            "executor": {"kind": "serial"},
            "workspace": "work",
        }

    def save(self, name, array, affine=None):
        path = self.folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4) if affine is None else affine), path)
        return path

    def ct(self, name="p/ct.nii", affine=None, *, seed=0, low=-900, high=900):
        array = np.random.default_rng(seed).integers(low, high, SHAPE).astype(np.int16)
        self.save(name, array, affine)
        return array

    def mask(self, name, *boxes, affine=None, shape=SHAPE):
        array = np.zeros(shape, np.uint8)
        for value, box in boxes:
            array[box] = value
        self.save(name, array, affine)
        return array

    def run(self, **changes):
        write_yaml(self.folder / "cohort.yaml", self.document | changes)
        self.made = isocenter.run(self.folder / "cohort.yaml", until="build")
        return self.made

    def rows(self, name, kind):
        return list(tables.read(self.work / "build" / f"{name}.parquet", kind))

    def records(self):
        store = isocenter.open(self.work / "store")
        return [store[i] for i in sorted(r.id for r in self.rows("cases", CaseRow) if r.verdict != "reject")]


BOX = np.s_[2:5, 2:5, 2:4]
