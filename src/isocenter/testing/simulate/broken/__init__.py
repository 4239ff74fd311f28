"""Broken series whose truth is known: one fault each, and sound ones that only look unusual.

    from isocenter.testing.simulate.broken import FAULTS, CLEAN, Scan, differences
    planted = FAULTS[0].write(folder, Scan(seed=7))      # writes the files, returns what is true

Every fault names the findings that a right program tells, and what becomes of the series: rebuilt, kept for a
person to look at, or refused. Files are written with pydicom from closed formulas and share no code with what
reads them.
"""

from __future__ import annotations

from isocenter.testing.simulate.broken import (
    content,
    files,
    frames,
    headers,
    positions,
    repeats,
    values,
)
from isocenter.testing.simulate.broken.fault import Fault, Outcome, differences
from isocenter.testing.simulate.broken.scan import Planted, Scan, TrueVolume
from isocenter.testing.simulate.broken.sound import CLEAN

FAULTS: tuple[Fault, ...] = (
    *positions.FAULTS,
    *repeats.FAULTS,
    *content.FAULTS,
    *values.FAULTS,
    *headers.FAULTS,
    *files.FAULTS,
    *frames.FAULTS,
)

__all__ = ["CLEAN", "FAULTS", "Fault", "Outcome", "Planted", "Scan", "TrueVolume", "differences"]
