"""Uptake: PET values as standardised uptake values, where the cohort asks for them and the headers tell how."""

from __future__ import annotations

from dataclasses import replace

from isocenter.imaging.suv import Suv, decide, to_suv
from isocenter.model.issue import Issue, Severity
from isocenter.model.reasons import because
from isocenter.model.rows import Stack
from isocenter.model.volume import Volume
from isocenter.stages.build.options import PetPolicy, Standardise


def with_uptake(volume: Volume, stack: Stack, options: Standardise) -> Volume:
    """The volume in the unit that is asked for, its values multiplied in place, or as it was with the reason why.

    Args:
        volume: What was read.
        stack: What it was read from.
        options: Its `pet` says what is asked for.
    """
    if volume.modality != "PT" or options.pet is PetPolicy.STORED:
        return volume
    decided = decide(stack.suv, options.pet.value)
    if not isinstance(decided, Suv):
        # what is no DICOM never says a unit, of whatever modality
        severity = None if stack.format == "dicom" else Severity.NOTE
        issue = because(
            "read/no-suv",
            target=volume.id,
            message=f"no SUV: {decided.reason}",
            severity=severity,
            measured=volume.unit,
            expected=options.pet.value,
            clause=decided.clause,
        )
        return replace(volume, issues=(*volume.issues, issue))
    return replace(to_suv(volume, decided), issues=(*volume.issues, *_told(volume.id, decided)))


def _told(target: str, suv: Suv) -> list[Issue]:
    """How it was done, unless nothing was, and what was taken for granted."""
    out = []
    if suv.factor != 1.0:
        out.append(
            because(
                "read/suv",
                target=target,
                message=f"{suv.unit}: {suv.how}",
                measured=f"{suv.factor:.6g}",
                unit=suv.unit,
                clause=suv.clause,
            )
        )
    told = (because("read/suv-assumed", target=target, message=m, clause=suv.clause) for m in suv.assumptions)
    return [*out, *told]
