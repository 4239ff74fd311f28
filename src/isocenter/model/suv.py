"""SuvFacts: what the headers of a PET say of dose, time, patient and scale, without a date or a clock time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BedTime:
    """When some slices of a PET series were acquired, and how their decay was corrected.

    `acquired_seconds` counts from the earliest acquisition of the series; `duration_seconds` is Actual Frame
    Duration (0018,1242), `decay_factor` Decay Factor (0054,1321) and `reference_seconds` Frame Reference
    Time (0054,1300); None where nothing is said.
    """

    acquired_seconds: float
    duration_seconds: float | None = None
    decay_factor: float | None = None
    reference_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuvFacts:
    """What standardised uptake values of a stack hang on (PS3.3 C.8.9.1, C.8.9.2, C.8.9.4).

    Numbers stand as the headers have them, whatever unit they turn out to be in: `weight` should be kilograms,
    `size` metres, `dose` becquerels. Times count in seconds from the earliest acquisition of the series and are
    negative before it. `injected_by` is "datetime" or "time" (without a date: the last such time before the scan).
    `corrected_to_seconds` is Decay Correction DateTime (0018,9701) of enhanced objects. `nuclide` is a name of ours
    ("F-18"), "" where none was recognised. `differing` names attributes on which the slices disagree, `doubts` what
    is wrong with the times.
    """

    units: str = ""
    suv_type: str = ""
    decay_correction: str = ""
    corrected: tuple[str, ...] = ()
    weight: float | None = None
    size: float | None = None
    sex: str = ""
    n_tracers: int = 0
    nuclide: str = ""
    dose: float | None = None
    half_life_seconds: float | None = None
    injected_seconds: float | None = None
    injected_by: str = ""
    series_seconds: float | None = None
    ge_scan_seconds: float | None = None
    corrected_to_seconds: float | None = None
    beds: tuple[BedTime, ...] = ()
    philips_suv_factor: float | None = None
    philips_activity_factor: float | None = None
    differing: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
