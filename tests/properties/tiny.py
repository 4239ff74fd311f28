"""A tiny archive of NIfTI images and masks of two centres, and a cohort over it."""

import os
from pathlib import Path

import nibabel
import numpy as np

from isocenter.base.documents import write_yaml

KEY = "00112233445566778899aabbccddeeff"
SITES = ("north", "south")


def write_patient(archive: Path, site: str, name: str, *, seed: int = 0) -> None:
    """One image of its own values, and masks of one or two readers, in a folder of its own."""
    random = np.random.default_rng([seed, *name.encode()])
    folder = archive / site / name
    folder.mkdir(parents=True, exist_ok=True)
    affine = np.diag([-1.5, 1.5, 2.0, 1.0]) if site == "north" else np.diag([1.0, -1.0, 2.5, 1.0])
    _save(random.integers(-200, 400, (10, 9, 8)).astype(np.int16), affine, folder / "ct.nii")
    for reader in range(1 + seed % 2 + (site == "south")):
        mask = np.zeros((10, 9, 8), np.uint8)
        mask[3 : 6 + reader, 2:6, 2:5] = 1
        _save(mask, affine, folder / f"reader{reader}.nii")


def _save(array, affine, path: Path) -> None:
    image = nibabel.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    os.utime(path, ns=(10**18, 10**18))


def write_cohort(folder: Path, archive: Path, *, executor: str = "serial", **changes) -> Path:
    """The config of a run that works in `folder`, with the one secret key of these tests."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "the.key").write_text(KEY + "\n")
    (folder / "the.key").chmod(0o600)
    document = {
        "name": "tiny",
        "task": "segmentation",
        "sources": [
            {"path": str(archive / s), "site": s, "subject": {"pattern": ["{subject}/*"]}} for s in SITES
        ],
        "channels": {"ct": {"modality": "CT", "path": ["{subject}/ct.nii"]}},
        "labels": {"lesion": {"value": 1}},
        "annotations": [
            {
                "kind": "masks",
                "rater": "reader{reader}",
                "path": "{subject}/reader{reader}.nii",
                "image": "{subject}/ct.nii",
            }
        ],
        "screen": {"select": ["case", "split"]},
        "store": {"shards": 4},
        "split": {"fractions": {"train": 0.5, "test": 0.5}},
        "executor": {"kind": executor},
        "workspace": "work",
        "key": "the.key",
    } | changes
    write_yaml(folder / "cohort.yaml", document)
    return folder / "cohort.yaml"


# Times, work done and where it was done: all else must be the same bytes.
_OWN = {"log.jsonl", ".lock", "cohort.yaml"}


def bytes_of(work: Path, *, below: str = "") -> dict[str, bytes]:
    """Every file of a workspace by its path, but for those that tell of one run."""
    root = work / below
    return {
        p.relative_to(work).as_posix(): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and p.name not in _OWN
    }
