"""Times of a PET: what moment its values were decay-corrected to, and how long after the injection that is.

The order of what is tried is that of QIBA's vendor-neutral pseudo-code; Decay Factor (0054,1321) is the one number that
says to what moment a scanner really corrected, so it decides wherever it stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from isocenter.imaging.bodies import Refusal
from isocenter.model.suv import BedTime, SuvFacts

IMAGE, TRACER, SERIES = "DICOM PS3.3 C.8.9.4", "DICOM PS3.3 C.8.9.2", "DICOM PS3.3 C.8.9.1"
# Longest time between injection and scan: half a day, or three half-lives of what decays slowly (Zr-89, I-124).
_LONGEST_SECONDS, _LONGEST_HALF_LIVES = 12 * 3600.0, 3
# Clocks write whole seconds.
_SAME_SECONDS = 1.0
# Two moments are one if what decays between them is less than this share.
_SAME_SHARE = 0.01
_WITHOUT_DURATION = "Actual Frame Duration is missing, and Decay Factor is taken for that of a short frame"
# What may say when the scan began.
_SERIES_TIME, _GE_TIME, _EARLIEST = "Series Time", "GE's private scan time", "the earliest Acquisition Time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The moment that values are corrected to, in seconds after the injection, how it was found, and what was assumed."""

    seconds: float
    how: str
    assumptions: tuple[str, ...] = ()


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
    if (apart := scan_seconds(facts)) > _LONGEST_SECONDS:
        said = f"acquisitions lie {apart / 3600:.1f} h apart, as where midnight passes and dates are missing"
        return Refusal(reason=said, clause=IMAGE)
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
    return replace(moment, seconds=seconds)


def scan_seconds(facts: SuvFacts) -> float:
    """How long after the first acquisition the last one began."""
    return max((bed.acquired_seconds for bed in facts.beds), default=0.0)


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
    """The start of the scan: a time of the header that is confirmed, or the one that follows from what confirms."""
    near = max(_SAME_SECONDS, half_life_seconds * math.log2(1 / (1 - _SAME_SHARE)))
    candidates = [*_stated(facts), Moment(seconds=0.0, how=_EARLIEST)]
    told = [_by_factor(b, half_life_seconds) for b in facts.beds if (b.decay_factor or 0) > 1]
    if told and all(max(ends) - min(ends) > near for ends in zip(*told, strict=True)):
        said = "Decay Factors (0054,1321) of the slices lead to several moments, not to one start of the scan"
        return Refusal(reason=said, clause=IMAGE)
    if told:
        moment = _confirmed(candidates, sorted(told)[len(told) // 2], near, "Decay Factor")
        is_known = all((b.duration_seconds or 0) > 0 for b in facts.beds if (b.decay_factor or 0) > 1)
        return moment if is_known else replace(moment, assumptions=(_WITHOUT_DURATION,))
    for bed in facts.beds:
        if bed.duration_seconds and (bed.reference_seconds or 0) > 0:
            return _confirmed(candidates, _by_reference(bed, half_life_seconds), near, "Frame Reference Time")
    return _by_agreement(candidates, near)


def _stated(facts: SuvFacts) -> list[Moment]:
    """Times that may be the start of the scan: none that is later than the first acquisition."""
    named = [(facts.series_seconds, _SERIES_TIME), (facts.ge_scan_seconds, _GE_TIME)]
    return [Moment(seconds=s, how=how) for s, how in named if s is not None and s <= _SAME_SECONDS]


def _by_agreement(candidates: list[Moment], near: float) -> Moment | Refusal:
    """Times that agree, or GE's own where the Series Time is no candidate: nothing else confirms one of them."""
    named = {c.how: c for c in candidates}
    scanners = named.get(_GE_TIME)
    if scanners is not None:
        others = [c for c in candidates if c is not scanners]
        agreed = [c for c in others if abs(c.seconds - scanners.seconds) <= near]
        if agreed:
            return replace(agreed[0], how=f"{agreed[0].how}, confirmed by {_GE_TIME}")
        if _SERIES_TIME not in named:
            return scanners
    if max(c.seconds for c in candidates) - min(c.seconds for c in candidates) <= near:
        return candidates[0]
    said = ", ".join(f"{c.how} {-c.seconds:g} s before it" for c in candidates if c.how != _EARLIEST)
    return Refusal(
        reason=f"nothing says which is the start of the scan: {_EARLIEST}, or {said}",
        clause=IMAGE,
    )


def _confirmed(candidates: list[Moment], told: tuple[float, float], near: float, by: str) -> Moment:
    """The first candidate that a number of the header confirms, or else the moment that it tells by itself.

    Args:
        candidates: Moments that the header states.
        told: The start by that number, if it counts to the beginning of the frame, and if to its average.
        near: How far apart two moments are one.
        by: Name of the number.
    """
    begins, averages = told
    by_average, by_begin = (
        [c for c in candidates if abs(c.seconds - moment) <= near] for moment in (averages, begins)
    )
    how, assumptions = f"computed back from {by}", (f"{by} is taken to count to the average of its frame",)
    if not (by_average or by_begin):
        return Moment(seconds=averages, how=how, assumptions=assumptions if averages - begins > near else ())
    agreed = (by_average or by_begin)[0]
    is_open = by_average and any(abs(c.seconds - agreed.seconds) > near for c in by_begin)
    return Moment(
        seconds=agreed.seconds,
        how=f"{agreed.how}, confirmed by {by}",
        assumptions=assumptions if is_open else (),
    )


def _by_reference(bed: BedTime, half_life_seconds: float) -> tuple[float, float]:
    """The start by Frame Reference Time, which counts to the beginning of a frame with GE, else to its average."""
    begins = bed.acquired_seconds - (bed.reference_seconds or 0.0)
    return begins, begins + _average_of(bed, half_life_seconds)


def _by_factor(bed: BedTime, half_life_seconds: float) -> tuple[float, float]:
    """The start by one decay factor: if it holds the decay before its frame alone, and if that within it too."""
    begins = bed.acquired_seconds - half_life_seconds * math.log2(bed.decay_factor or 1.0)
    return begins, begins + _average_of(bed, half_life_seconds)


def _average_of(bed: BedTime, half_life_seconds: float) -> float:
    duration = bed.duration_seconds if bed.duration_seconds and bed.duration_seconds > 0 else 0.0
    return average_seconds(duration, half_life_seconds)
