"""Spacing of a radiograph: how large its pixels are, and in which plane that was measured (PS3.3 10.7)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, NamedTuple

Pair = tuple[float, float]

# Two spacings that differ less than this share are one, rounded differently.
_SAME = 1e-3
# The farthest that a body is held from its detector; what is beyond is a wrong entry.
_MOST_MAGNIFIED = 10.0


class SpacingKind(enum.StrEnum):
    """Where a pixel of a radiograph is as large as its spacing says."""

    CALIBRATED = "calibrated"
    GEOMETRY = "geometry"
    MAGNIFIED = "magnified"
    DETECTOR = "detector"
    UNKNOWN = ""


class Spacing(NamedTuple):
    """Distances (down, across) in mm, where they hold, and what they were taken from; None where nothing is known."""

    spacing_mm: Pair | None
    kind: SpacingKind
    detector_mm: Pair | None
    magnification: float | None


def spacing_of(row: Mapping[str, Any]) -> Spacing:
    """The spacing of one projected image.

    Pixel Spacing is taken where it was calibrated, by an object of known size or for the geometry of the beam,
    or differs from that at the detector, which means the same. Else it is that at the detector, divided by the
    magnification where that is known: X-rays spread, so a body is smaller than its shadow (PS3.3 10.7.1).

    Args:
        row: One row of the index, by the names of the fields of `Instance`.
    """
    own, imager = _pair(row["pixel_spacing_mm"]), _pair(row["imager_spacing_mm"])
    factor = _magnification(row)
    if own is not None:
        kind = _kind_of(row["spacing_calibration"], own, imager)
        if kind is not SpacingKind.DETECTOR:
            return Spacing(own, kind, imager, factor)
    detector = imager or own
    if detector is None:
        return Spacing(None, SpacingKind.UNKNOWN, None, factor)
    if factor is None:
        return Spacing(detector, SpacingKind.DETECTOR, detector, None)
    return Spacing((detector[0] / factor, detector[1] / factor), SpacingKind.MAGNIFIED, detector, factor)


def _kind_of(calibration: str | None, own: Pair, imager: Pair | None) -> SpacingKind:
    """What Pixel Spacing is (PS3.3 10.7.1.1): without a word, only a difference from the detector's tells."""
    match (calibration or "").strip().upper():
        case "FIDUCIAL":
            return SpacingKind.CALIBRATED
        case "GEOMETRY":
            return SpacingKind.GEOMETRY
    if imager is None:
        return SpacingKind.UNKNOWN
    is_same = all(abs(a - b) <= _SAME * b for a, b in zip(own, imager, strict=True))
    return SpacingKind.DETECTOR if is_same else SpacingKind.CALIBRATED


def _magnification(row: Mapping[str, Any]) -> float | None:
    """Estimated Radiographic Magnification Factor, else distance from source to detector by that to the patient."""
    stated = row["magnification"]
    to_detector, to_patient = row["source_to_detector_mm"], row["source_to_patient_mm"]
    if stated is None and to_detector and to_patient:
        stated = to_detector / to_patient
    return float(stated) if stated is not None and 1 <= stated <= _MOST_MAGNIFIED else None


def _pair(values: tuple[float, ...]) -> Pair | None:
    return (values[0], values[1]) if len(values) == 2 and min(values) > 0 else None
