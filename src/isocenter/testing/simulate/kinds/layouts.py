"""Data sets in the raw layouts of nnU-Net and of the Medical Segmentation Decathlon."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from isocenter.testing.simulate import ct, marking
from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.ct import Protocol
from isocenter.testing.simulate.kinds.nifti_masks import drawn_by, mask_marks
from isocenter.testing.simulate.lattice import AXIAL
from isocenter.testing.simulate.truth import TrueCase, TrueSite
from isocenter.testing.simulate.volumes import write_nifti

_RAS = ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0))


def write_nnunet(archive: Archive, site: TrueSite, training: int, test: int) -> None:
    """`imagesTr/<case>_0000.nii.gz`, `labelsTr/<case>.nii.gz`, `imagesTs/`, `dataset.json`."""
    for n in range(training + test):
        folder, label = ("imagesTr", "labelsTr") if n < training else ("imagesTs", "")
        name = f"phantom_{n:03d}"
        images = f"{folder}/{name}_0000.nii.gz"
        archive.cases.append(_write_case(archive, site, n, name, images, label and f"{label}/{name}.nii.gz"))
    _write_json(archive, site, {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, **marking.MASK_VALUES},
        "numTraining": training,
        "file_ending": ".nii.gz",
        "name": "Phantom",
    })  # fmt: skip


def write_decathlon(archive: Archive, site: TrueSite, training: int, test: int) -> None:
    """`dataset.json` lists pairs of image and label for training, and images for test."""
    pairs, alone = [], []
    for n in range(training + test):
        name = f"phantom_{n + 100:03d}"
        if n < training:
            image, label = f"imagesTr/{name}.nii.gz", f"labelsTr/{name}.nii.gz"
            pairs.append({"image": f"./{image}", "label": f"./{label}"})
        else:
            image, label = f"imagesTs/{name}.nii.gz", ""
            alone.append(f"./{image}")
        archive.cases.append(_write_case(archive, site, n, name, image, label))
    _write_json(archive, site, {
        "name": "Phantom",
        "description": "Simulated chests",
        "reference": "simulated",
        "licence": "none needed",
        "release": "1.0",
        "tensorImageSize": "3D",
        "modality": {"0": "CT"},
        "labels": {"0": "background", **{str(v): label for label, v in marking.MASK_VALUES.items()}},
        "numTraining": training,
        "numTest": test,
        "training": pairs,
        "test": alone,
    })  # fmt: skip


LAYOUTS: dict[str, Callable[[Archive, TrueSite, int, int], None]] = {
    "nnunet": write_nnunet,
    "decathlon": write_decathlon,
}


def _write_case(archive: Archive, site: TrueSite, n: int, name: str, image: str, label: str) -> TrueCase:
    """Write one image, and its mask where the case is for training."""
    person = archive.person(site)
    axes: Sequence[Sequence[float]] = _RAS if n % 2 == 0 else AXIAL
    scan = ct.acquire(archive, person, Protocol(axes=tuple(map(tuple, axes))), lesions=1 + n % 2)
    path = write_nifti(archive.path(site.folder, image), scan.values, scan.lattice)
    known: dict[str, Any] = {"kind": site.kind, "format": "nifti", "subject": name}
    if label:
        regions = drawn_by(scan, "")[0]
        mask = marking.label_map(regions, scan.lattice)
        written = write_nifti(archive.path(site.folder, label), mask, scan.lattice)
        known["marks"] = mask_marks(archive, regions, scan.lattice, 0, written)
    return ct.true_case(archive, person, scan, [path], **known)


def _write_json(archive: Archive, site: TrueSite, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=2) + "\n"
    archive.path(site.folder, "dataset.json").write_text(text, encoding="utf-8", newline="\n")
