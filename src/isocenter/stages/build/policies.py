"""Policies: what is done to a volume whose slices lie unevenly or are tilted, where the cohort asks for it."""

from __future__ import annotations

from dataclasses import replace

from isocenter.imaging.regular import rectangular, regularise, tilt_of
from isocenter.imaging.resample import resample
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.volume import Volume
from isocenter.rules.gaps import Gap, gaps_of
from isocenter.stages.build.options import GapPolicy, Standardise, TiltPolicy

# Deviations of less than this share of the usual gap are jitter, which is kept (geometry/jittering-slice-spacing).
_JITTER_SHARE = 0.1


def evenly(volume: Volume, options: Standardise) -> Volume:
    """The volume on even spacing, if its slices are not evenly spaced and the policy is to resample.

    Raises:
        FormatError: more slices are missing than are there.
    """
    gaps = gaps_of(tuple(s.position_mm for s in volume.slices))
    asked = {_policy(g, options) for g in gaps if _is_irregular(g)}
    if GapPolicy.RESAMPLE not in asked or any(g.is_none for g in gaps):
        return volume
    return regularise(volume, gaps[0].usual_mm)


def upright(volume: Volume, options: Standardise) -> Volume:
    """The volume on a rectangular grid, if its slices are tilted and the policy is to resample."""
    tilt = tilt_of(volume.grid) if options.tilt is TiltPolicy.RESAMPLE else 0.0
    if not tilt:
        return volume
    made = resample(volume, like=rectangular(volume.grid), kernel=options.kernel, antialias=options.antialias)
    return replace(made, facts=None, issues=(*volume.issues, tilt_issue(volume.id, tilt)))


def tilt_issue(target: str, tilt: float) -> Issue:
    """The note that a tilted stack was resampled."""
    return because("read/resampled-tilt", target=target, measured=f"{tilt:.2f}", expected="0", unit="degrees")


def _is_irregular(gap: Gap) -> bool:
    return not gap.is_none and gap.deviation_mm > _JITTER_SHARE * gap.usual_mm


def _policy(gap: Gap, options: Standardise) -> GapPolicy:
    return options.gaps if gap.missing(_JITTER_SHARE) else options.uneven
