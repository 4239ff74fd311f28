"""Policies: how the choice of what to do with tilt, gaps and uneven spacing weighs the rules that see them.

This is the one place that knows it. A weight that the config gives a rule itself stands.
"""

from __future__ import annotations

from dataclasses import replace

from isocenter.model.issue import Severity
from isocenter.rules.select import ScreenOptions
from isocenter.stages.build.options import GapPolicy, PetPolicy, Standardise, TiltPolicy

_PET = "values/unconvertible-pet"


def weighed(screen: ScreenOptions, standardise: Standardise) -> ScreenOptions:
    """The screen's options with the weights that follow from the policies: what is resampled is for review."""
    severity: dict[str, Severity] = {}
    if standardise.tilt is TiltPolicy.REJECT:
        severity["geometry/gantry-tilt"] = Severity.REJECT
    if standardise.gaps is GapPolicy.RESAMPLE:
        severity["geometry/missing-slices"] = Severity.REVIEW
    if standardise.uneven is GapPolicy.RESAMPLE:
        severity["geometry/uneven-slice-spacing"] = Severity.REVIEW
    given = screen.options.get(_PET, {})
    options = screen.options | {_PET: {"wanted": standardise.pet.value} | given}
    ignore = {_PET: "PET values stay as stored"} if standardise.pet is PetPolicy.STORED else {}
    return replace(
        screen,
        severity=severity | screen.severity,
        options=screen.options if ignore else options,
        ignore=ignore | screen.ignore,
    )
