"""The simulated scanner: writes an archive of genuine files whose whole truth is known.

`simulate(folder)` writes several centres, each with its own way of keeping data (DICOM series with RT
Structure Sets, converted NIfTI files, NRRD from 3D Slicer), MR and PET beside some CT, folders for the tasks
of classification and detection, two common data-set layouts, several readers, planted faults and planted
identifiers. It returns a `Truth`, and writes it as JSON beside the folder.

It exists so that tests and the demo have something to be right about. It shares no stacking, rasterising,
affine or format code with the product, or both could be wrong together: structures are ellipsoids whose
voxels are known in closed form, and files are written straight from them.

    python -m isocenter.testing.simulate FOLDER --patients 30
"""

from __future__ import annotations

from isocenter.testing.simulate.scanner import simulate
from isocenter.testing.simulate.truth import (
    Expected,
    Identifier,
    Mark,
    PlantedFault,
    TrueCase,
    TrueSite,
    Truth,
)

__all__ = [
    "Expected",
    "Identifier",
    "Mark",
    "PlantedFault",
    "TrueCase",
    "TrueSite",
    "Truth",
    "simulate",
]
