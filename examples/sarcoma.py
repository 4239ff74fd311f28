"""Sarcoma: the cohort of the three segmentation examples, CT and PET of soft-tissue sarcomas with contours (RTSTRUCT)."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from examples.packing import pack

CONFIG = """\
name: sarcoma
task: segmentation
sources:
  - {path: 'DICOM', site: archive}
channels:
  ct: {modality: CT, windows: [soft-tissue]}
  pet: {modality: PT}
labels:
  tumour: {aliases: [GTV_Mass_CT]}
annotations:
  - kind: objects
workspace: work
"""
FOLDER = "rtstruct_ct_pet_mr_IBSI/dicom"


def arguments(about: str | None) -> argparse.Namespace:
    """What a segmentation example is told: where the data are, where to work, for how long."""
    parser = argparse.ArgumentParser(description=about)
    real = os.environ.get("ISOCENTER_REAL_DATA")
    parser.add_argument(
        "--data", type=Path, default=Path(real, FOLDER) if real else None, help="folder of the DICOM files"
    )
    parser.add_argument("--work", type=Path, default=Path("examples/work/sarcoma"), help="folder to work in")
    parser.add_argument("--epochs", type=int, default=30)
    given = parser.parse_args()
    if given.data is None:
        parser.error("say where the DICOM files are: --data FOLDER")
    return given


def packed(data: Path, work: Path) -> Path:
    """The packed cohort."""
    return pack(CONFIG.replace("DICOM", str(data.absolute())), work)
