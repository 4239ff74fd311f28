"""Times of a PET: what moment its values were decay-corrected to, and how long after the injection that is.

The order of what is tried is that of QIBA's vendor-neutral pseudo-code; Decay Factor (0054,1321) is the one number that
says to what moment a scanner really corrected, so it decides wherever it stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from isocenter.imaging.bodies import Refusal
from isocenter.model.suv import BedTime, SuvFacts

IMAGE, TRACER, SERIES = "DICOM PS3.3 C.8.9.4", "DICOM PS3.3 C.8.9.2", "DICOM PS3.3 C.8.9.1"
# Longest time between injection and scan: half a day, or three half-lives of what decays slowly (Zr-89, I-124).
_LONGEST_SECONDS, _LONGEST_HALF_LIVES = 12 * 3600.0, 3
# Clocks write whole seconds.
_SAME_SECONDS = 1.0
# Two moments are one if what decays between them is less than this share.
_SAME_SHARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The moment that values are corrected to, in seconds after the injection, and how it was found."""

    seconds: float
    how: str


def since_injection(facts: SuvFacts, half_life_seconds: float) -> Moment | Refusal:
    """How long after the injection the moment is that the values are corrected to.

    Args:
        facts: What the headers say; its `decay_correction` decides the path.
        half_life_seconds: Of the nuclide.
    """
    if facts.doubts:
        return Refusal(reason="; ".join(facts.doubts), clause=TRACER)
    if not facts.beds and facts.corrected_to_seconds is None:
        return Refusal(reason="Acquisition Time (0008,0032) is missing", clause=IMAGE)
    if facts.injected_seconds is None:
        return Refusal(
            reason="Radiopharmaceutical Start DateTime (0018,1078) and Start Time (0018,1072) are missing",
            clause=TRACER,
        )
    moment = corrected_to(facts, half_life_seconds)
    if isinstance(moment, Refusal):
        return moment
    seconds = moment.seconds - facts.injected_seconds
    longest = longest_seconds(half_life_seconds)
    if seconds < 0:
        said = f"the injection is {-seconds:g} s later than the moment of the values ({moment.how})"
        return Refusal(reason=said, clause=TRACER)
    if seconds > longest:
        said = f"{seconds / 3600:.1f} h lie between injection and scan, more than {longest / 3600:.1f} h"
        return Refusal(reason=said, clause=TRACER)
    return Moment(seconds=seconds, how=moment.how)


def longest_seconds(half_life_seconds: float) -> float:
    """The longest time between injection and scan that makes sense."""
    return max(_LONGEST_SECONDS, _LONGEST_HALF_LIVES * half_life_seconds)


def corrected_to(facts: SuvFacts, half_life_seconds: float) -> Moment | Refusal:
    """The moment that the values are corrected to, in seconds from the earliest acquisition."""
    if facts.corrected_to_seconds is not None:
        return Moment(seconds=facts.corrected_to_seconds, how="Decay Correction DateTime")
    if facts.decay_correction == "NONE":
        return _middle(facts.beds, half_life_seconds)
    return _start(facts, half_life_seconds)


def average_seconds(duration_seconds: float, half_life_seconds: float) -> float:
    """When within a frame its average count rate is reached: decay makes it earlier than the middle."""
    constant = math.log(2) / half_life_seconds
    decay = constant * duration_seconds
    return math.log(decay / -math.expm1(-decay)) / constant if decay > 0 else 0.0


def _middle(beds: tuple[BedTime, ...], half_life_seconds: float) -> Moment | Refusal:
    """Values without decay correction are those of the average of their own frame: one bed has one moment."""
    if len({(b.acquired_seconds, b.duration_seconds) for b in beds}) > 1:
        said = "Decay Correction is NONE and slices are of several times, each of which needs its own factor"
        return Refusal(reason=said, clause=SERIES)
    duration = beds[0].duration_seconds
    if not duration or duration < 0:
        said = "Decay Correction is NONE and Actual Frame Duration (0018,1242) is missing"
        return Refusal(reason=said, clause=SERIES)
    seconds = beds[0].acquired_seconds + average_seconds(duration, half_life_seconds)
    return Moment(seconds=seconds, how="the average of the one frame")


def _start(facts: SuvFacts, half_life_seconds: float) -> Moment | Refusal:
    """The start of the scan: a time of the header that the decay factors confirm, or the one that follows from them."""
    near = max(_SAME_SECONDS, half_life_seconds * math.log2(1 / (1 - _SAME_SHARE)))
    told = [_from_factor(b, half_life_seconds) for b in facts.beds if (b.decay_factor or 0) > 1]
    if told and max(told) - min(told) > near:
        said = "Decay Factors (0054,1321) of the slices lead to several moments, not to one start of the scan"
        return Refusal(reason=said, clause=IMAGE)
    candidates = [*_stated(facts), Moment(seconds=0.0, how="the earliest Acquisition Time")]
    if not told:
        return _by_reference_time(facts, candidates, half_life_seconds, near)
    middle = sorted(told)[len(told) // 2]
    agreed = [c for c in candidates if abs(c.seconds - middle) <= near]
    if agreed:
        return Moment(seconds=agreed[0].seconds, how=f"{agreed[0].how}, confirmed by Decay Factor")
    return Moment(seconds=middle, how="computed back from Decay Factor")


def _stated(facts: SuvFacts) -> list[Moment]:
    """Times that may be the start of the scan: none that is later than the first acquisition."""
    named = [(facts.series_seconds, "Series Time"), (facts.ge_scan_seconds, "GE's private scan time")]
    return [Moment(seconds=s, how=how) for s, how in named if s is not None and s <= _SAME_SECONDS]


def _by_reference_time(
    facts: SuvFacts, candidates: list[Moment], half_life_seconds: float, near: float
) -> Moment | Refusal:
    """As the decay factors would say, by Frame Reference Time: the average of a frame, or with GE its beginning."""
    for bed in facts.beds:
        if not (bed.reference_seconds and bed.duration_seconds) or bed.reference_seconds < 0:
            continue
        begins = bed.acquired_seconds - bed.reference_seconds
        averages = begins + average_seconds(bed.duration_seconds, half_life_seconds)
        low, high = begins - near, averages + near
        agreed = [c for c in candidates if low <= c.seconds <= high]
        if agreed:
            return Moment(
                seconds=agreed[0].seconds, how=f"{agreed[0].how}, confirmed by Frame Reference Time"
            )
        return Moment(seconds=averages, how="computed back from Frame Reference Time")
    return candidates[0]


def _from_factor(bed: BedTime, half_life_seconds: float) -> float:
    """The start of the scan by one decay factor, which holds the decay before and within the frame."""
    duration = bed.duration_seconds if bed.duration_seconds and bed.duration_seconds > 0 else 0.0
    before = half_life_seconds * math.log2(bed.decay_factor or 1.0)
    return bed.acquired_seconds + average_seconds(duration, half_life_seconds) - before
