"""SUV: whether the values of a PET can become standardised uptake values, and by which factor.

A state machine over Units x Decay Correction x what else the headers say; what cannot be known is refused with the
reason, and no factor is ever guessed. It follows QIBA's vendor-neutral pseudo-code and the IBSI's work on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from isocenter.imaging.bodies import Quantity, Refusal, body_of
from isocenter.imaging.nuclides import HALF_LIVES_SECONDS, TOLERANCE
from isocenter.imaging.suv_times import IMAGE, SERIES, TRACER, longest_seconds, scan_seconds, since_injection
from isocenter.model.suv import SuvFacts
from isocenter.model.volume import Volume

UNITS = {
    "suvbw": "SUVbw",
    "suvlbm": "SUVlbm",
    "suvlbm-james": "SUVlbm-james",
    "suvbsa": "SUVbsa",
}
# SUV Type (0054,1006); where it is absent, values in g/ml are by body weight (C.8.9.1). "LBM" names no formula.
TYPES = {
    "": "suvbw",
    "BW": "suvbw",
    "LBMJANMA": "suvlbm",
    "LBMJAMES128": "suvlbm-james",
    "BSA": "suvbsa",
    "IBW": "suvibw",
}
_STORED = {"BQML": "Bq/ml", "CNTS": "counts"}
_STORED_SUV = {
    "": "SUVbw",
    "BW": "SUVbw",
    "LBM": "SUVlbm-unnamed",
    "LBMJAMES128": "SUVlbm-james",
    "LBMJANMA": "SUVlbm",
    "IBW": "SUVibw",
}
# Doses in Bq; a number so small that it can only be MBq is taken for that.
_DOSES_BQ, _DOSES_MBQ = (1e6, 1e10), (1.0, 1e4)
_DECAY = ("START", "ADMIN", "NONE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suv:
    """The one factor that makes the values of a PET standardised uptake values.

    Args:
        factor: What every value is multiplied by.
        unit: Unit of the result: "SUVbw", "SUVlbm", "SUVlbm-james" or "SUVbsa".
        how: The path that was taken, in words.
        clause: The section of the standard that it rests on.
        reference_seconds: Moment of the values after the injection; None where none is needed.
        assumptions: What was taken for granted about numbers of the header.
    """

    factor: float
    unit: str
    how: str
    clause: str
    reference_seconds: float | None = None
    assumptions: tuple[str, ...] = ()


def stored_unit(units: str, suv_type: str) -> str:
    """Unit of a PET's values as they are stored.

    Args:
        units: Units (0054,1001).
        suv_type: SUV Type (0054,1006), "" where it is absent.

    >>> stored_unit("BQML", ""), stored_unit("GML", "LBMJANMA"), stored_unit("CM2ML", "BW")
    ('Bq/ml', 'SUVlbm', 'arbitrary')
    """
    if units == "CM2ML":
        return "SUVbsa" if suv_type in {"", "BSA"} else "arbitrary"
    if units == "GML":
        return _STORED_SUV.get(suv_type, "arbitrary")
    return _STORED.get(units, "arbitrary")


def decide(facts: SuvFacts | None, wanted: str) -> Suv | Refusal:
    """Whether and how the values of a PET become standardised uptake values.

    Args:
        facts: What its headers say; None where they say nothing of it.
        wanted: "suvbw", "suvlbm" (by Janmahasatian), "suvlbm-james" or "suvbsa".
    """
    if facts is None:
        return Refusal(reason="nothing is said of units, dose and times", clause=SERIES)
    if facts.differing:
        return Refusal(reason=f"slices disagree on {', '.join(facts.differing)}", clause=SERIES)
    match facts.units:
        case "GML" | "CM2ML":
            return _from_suv(facts, wanted)
        case "BQML":
            return _corrected(facts) or _from_activity(facts, wanted, 1.0, "Bq/ml")
        case "CNTS":
            return _corrected(facts) or _from_counts(facts, wanted)
        case "":
            return Refusal(reason="Units (0054,1001) are missing", clause=SERIES)
    return Refusal(reason="Units (0054,1001) are not BQML, CNTS, GML or CM2ML", clause=SERIES)


def to_suv(volume: Volume, suv: Suv) -> Volume:
    """The volume in the new unit: its float32 values are multiplied in place."""
    facts = volume.facts
    if suv.factor != 1.0:
        np.multiply(volume.array, np.float32(suv.factor), out=volume.array)
        if facts is not None:
            low, high = facts.minimum * suv.factor, facts.maximum * suv.factor
            facts = replace(facts, minimum=low, maximum=high)
    told = {"suv_factor": f"{suv.factor:.9g}", "suv_how": suv.how}
    return replace(volume, unit=suv.unit, facts=facts, provenance=volume.provenance | told)


def uptake_seconds(facts: SuvFacts) -> float | None:
    """Time from the injection to the start of the scan, None where the headers do not tell it without contradiction."""
    injected, series = facts.injected_seconds, facts.series_seconds
    if injected is None or facts.doubts or facts.differing or not facts.beds:
        return None
    # a series may be a part of a scan; a Series Time later than its first slice is that of post-processing
    start = series if series is not None and injected <= series <= 0 else 0.0
    half_life = _half_life(facts)
    longest = longest_seconds(0.0 if isinstance(half_life, Refusal) else half_life.value)
    is_one_scan = scan_seconds(facts) <= longest_seconds(0.0)
    return start - injected if is_one_scan and 0 <= start - injected <= longest else None


def dose_bq(facts: SuvFacts) -> Quantity | Refusal:
    """The injected dose in becquerels."""
    dose = facts.dose
    if facts.n_tracers != 1 or dose is None:
        said = (
            f"there are {facts.n_tracers} tracers in Radiopharmaceutical Information Sequence (0054,0016)"
            if facts.n_tracers > 1
            else "Radionuclide Total Dose (0018,1074) is missing"
        )
        return Refusal(reason=said, clause=TRACER)
    if _DOSES_BQ[0] <= dose <= _DOSES_BQ[1]:
        return Quantity(value=dose, how=f"{dose / 1e6:g} MBq")
    if _DOSES_MBQ[0] <= dose <= _DOSES_MBQ[1]:
        said = f"Radionuclide Total Dose {dose:g} is taken for MBq"
        return Quantity(value=dose * 1e6, how=f"{dose:g} MBq", assumptions=(said,))
    return Refusal(reason=f"Radionuclide Total Dose (0018,1074) is {dose:g}, which is no dose", clause=TRACER)


def _corrected(facts: SuvFacts) -> Refusal | None:
    """Why Corrected Image (0028,0051) and Decay Correction (0054,1102) do not let values in Bq/ml or counts be used."""
    if not facts.corrected:
        return Refusal(reason="Corrected Image (0028,0051) is missing", clause=IMAGE)
    if "ATTN" not in facts.corrected:
        return Refusal(reason="the image is not corrected for attenuation", clause=IMAGE)
    if facts.decay_correction not in _DECAY and facts.corrected_to_seconds is None:
        said = "Decay Correction (0054,1102) is missing or none of START, ADMIN and NONE"
        return Refusal(reason=said, clause=SERIES)
    if facts.decay_correction == "NONE" and facts.corrected_to_seconds is not None:
        said = "Decay Correction (0054,1102) is NONE, and there is a Decay Correction DateTime (0018,9701)"
        return Refusal(reason=said, clause=SERIES)
    if (facts.decay_correction == "NONE") == ("DECY" in facts.corrected):
        said = "Decay Correction (0054,1102) and DECY in Corrected Image (0028,0051) contradict each other"
        return Refusal(reason=said, clause=SERIES)
    return None


def _from_suv(facts: SuvFacts, wanted: str) -> Suv | Refusal:
    """Values that are SUV already stay, or are normalised by another size of the same body."""
    if facts.corrected and not {"ATTN", "DECY"} <= set(facts.corrected):
        said = "the image is not corrected for both attenuation and decay"
        return Refusal(reason=said, clause=IMAGE)
    is_surface = facts.units == "CM2ML"
    stored = "suvbsa" if is_surface and not facts.suv_type else TYPES.get(facts.suv_type)
    if stored is None:
        said = "SUV Type (0054,1006) does not say what the values are normalised by"
        return Refusal(reason=said, clause=SERIES)
    if is_surface != (stored == "suvbsa"):
        return Refusal(reason="Units and SUV Type (0054,1006) contradict each other", clause=SERIES)
    if stored == wanted:
        return Suv(factor=1.0, unit=UNITS[wanted], how=f"stored as {UNITS[wanted]}", clause=SERIES)
    return _renormalised(facts, stored, wanted, 1.0, f"stored by {stored[3:]}")


def _renormalised(facts: SuvFacts, stored: str, wanted: str, factor: float, how: str) -> Suv | Refusal:
    """From one normalisation to another: dose and decay are in the values already."""
    sizes = body_of(wanted, facts), body_of(stored, facts)
    if isinstance(sizes[0], Refusal):
        return sizes[0]
    if isinstance(sizes[1], Refusal):
        return sizes[1]
    return Suv(
        factor=factor * sizes[0].value / sizes[1].value,
        unit=UNITS[wanted],
        how=f"{how}, times {sizes[0].how}, over {sizes[1].how}",
        clause=SERIES,
        assumptions=tuple(dict.fromkeys((*sizes[0].assumptions, *sizes[1].assumptions))),
    )


def _from_counts(facts: SuvFacts, wanted: str) -> Suv | Refusal:
    """Counts are of use with the private factors of Philips alone."""
    factor, activity = facts.philips_suv_factor, facts.philips_activity_factor
    if facts.decay_correction != "NONE" and factor is not None and factor > 0:
        how = f"counts times SUV Scale Factor {factor:g} (7053,xx00)"
        if wanted == "suvbw":
            return Suv(factor=factor, unit=UNITS[wanted], how=how, clause=SERIES)
        return _renormalised(facts, "suvbw", wanted, factor, how)
    if activity is not None and activity > 0:
        words = f"counts times Activity Concentration Scale Factor {activity:g} (7053,xx09)"
        return _from_activity(facts, wanted, activity, words)
    said = "values are counts, and Philips' scale factors (7053,xx00) and (7053,xx09) are absent or 0"
    return Refusal(reason=said, clause=SERIES)


def _from_activity(facts: SuvFacts, wanted: str, scale: float, words: str) -> Suv | Refusal:
    """Activity times body over the dose that is left at the moment of the values."""
    body, dose = body_of(wanted, facts), dose_bq(facts)
    if isinstance(body, Refusal):
        return body
    if isinstance(dose, Refusal):
        return dose
    seconds, left, decayed = None, dose.value, "ADMIN: no decay since the injection"
    assumptions = (*body.assumptions, *dose.assumptions)
    if facts.decay_correction != "ADMIN" or facts.corrected_to_seconds is not None:
        half_life = _half_life(facts)
        if isinstance(half_life, Refusal):
            return half_life
        moment = since_injection(facts, half_life.value)
        if isinstance(moment, Refusal):
            return moment
        seconds, left = moment.seconds, dose.value * math.exp2(-moment.seconds / half_life.value)
        assumptions += moment.assumptions
        name = facts.decay_correction or "corrected to a moment"
        decayed = f"{name}: decayed {seconds:g} s from injection to {moment.how}, half-life {half_life.how}"
    return Suv(
        factor=scale * body.value / left,
        unit=UNITS[wanted],
        how=f"{words}, times {body.how}, over {dose.how}, {decayed}",
        clause=SERIES if seconds is None else TRACER,
        reference_seconds=seconds,
        assumptions=assumptions,
    )


def _half_life(facts: SuvFacts) -> Quantity | Refusal:
    """The half-life that is stated, if it is that of the nuclide; that of the nuclide where none is."""
    stated, known = facts.half_life_seconds, HALF_LIVES_SECONDS.get(facts.nuclide)
    if stated is None or stated == 0:
        if known is None:
            said = "Radionuclide Half Life (0018,1075) is missing and the nuclide is not known"
            return Refusal(reason=said, clause=TRACER)
        return Quantity(value=known, how=f"{known:g} s ({facts.nuclide})")
    among = HALF_LIVES_SECONDS.values() if known is None else (known,)
    if not any(abs(stated / one - 1) <= TOLERANCE for one in among):
        said = f"Radionuclide Half Life (0018,1075) is {stated:g} s"
        return Refusal(reason=f"{said}, not that of {facts.nuclide or 'a nuclide of PET'}", clause=TRACER)
    return Quantity(value=stated, how=f"{stated:g} s")
