"""From what the headers of a PET series say of its tracer to `SuvFacts`: times become seconds, dates go."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache

from isocenter.imaging.bodies import Quantity
from isocenter.imaging.suv import dose_bq, uptake_seconds
from isocenter.model.attributes import Attribute
from isocenter.model.suv import BedTime, SuvFacts
from isocenter.stages.index.columns import Members, Rows

_DAY = 86_400.0
_DATE = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(\.\d{1,6})?")
_DATE_TIME = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)([+-]\d{4})?")
# Clock times of the injection that two attributes tell may differ by their seconds.
_SAME_SECONDS = 60.0
# What must be the same in every slice, and what it is called.
_SHARED = {
    "SUVType": "SUV Type",
    "DecayCorrection": "Decay Correction",
    "CorrectedImage": "Corrected Image",
    "PatientWeight": "Patient's Weight",
    "PatientSize": "Patient's Size",
    "PatientSex": "Patient's Sex",
    "Tracers": "the number of tracers",
    "Nuclide": "the nuclide",
    "RadionuclideTotalDose": "Radionuclide Total Dose",
    "RadionuclideHalfLife": "Radionuclide Half Life",
    "RadiopharmaceuticalStartDateTime": "Radiopharmaceutical Start DateTime",
    "RadiopharmaceuticalStartTime": "Radiopharmaceutical Start Time",
    "DecayCorrectionDateTime": "Decay Correction DateTime",
    "PhilipsSUVFactor": "Philips' SUV Scale Factor",
    "PhilipsActivityFactor": "Philips' Activity Concentration Scale Factor",
}
_TYPES = {"BW", "LBM", "LBMJAMES128", "LBMJANMA", "BSA", "IBW"}
# Corrected Image (0028,0051), C.8.4.9.1.3 and C.8.9.4.1.
_CORRECTIONS = {
    "DECY", "ATTN", "SCAT", "DTIM", "GMOT", "MOTN", "PMOT", "CLIN", "RAN", "RADL", "DCAL", "NORM", "SLSENS",
}  # fmt: skip
_Texts = Mapping[str, str]


def suv_facts_of(members: Members, rows: Rows) -> SuvFacts | None:
    """What uptake values of a stack hang on; None for what is no PET, or whose headers say nothing.

    Values are those of the stack's own slices, times those of the whole series: frames of a dynamic scan are corrected
    to its start.

    Args:
        members: The series.
        rows: The slices of the stack.
    """
    if members.value("modality", int(rows[0])) != "PT":
        return None
    own = [_parsed(texts) for texts in members.distinct("pet", rows) if texts]
    if not own:
        return None
    units = sorted({(u or "").strip().upper() for u in members.distinct("pet_units", rows)})
    return facts_of(units, own, [_parsed(texts) for texts in members.distinct("pet") if texts])


def facts_of(units: Sequence[str], own: Sequence[_Texts], whole: Sequence[_Texts]) -> SuvFacts:
    """What the headers of some slices say.

    Args:
        units: The units that occur.
        own: Names and values of each slice of the stack.
        whole: The same of each slice of the series.
    """
    differing = [words for name, words in _SHARED.items() if len({_same(t.get(name)) for t in own}) > 1]
    first = min(own, key=lambda t: sorted(t.items()))
    acquired = {n: s for n, t in enumerate(whole) if (s := _acquired(t)) is not None}
    corrected_to = _date_time(first.get("DecayCorrectionDateTime"))
    begin = min(acquired.values(), default=corrected_to)
    beds = {_bed(whole[n], s - begin) for n, s in acquired.items()} if begin is not None else set()
    injected, by, doubts = _injected(first, begin)
    if acquired and len(acquired) < len(whole):
        doubts = (*doubts, "some slices have no Acquisition Time")
    series = [s for t in own if (s := _series(t)) is not None]
    scans = [s for t in own if (s := _date_time(t.get("GEScanDateTime"))) is not None]
    return SuvFacts(
        units=units[0],
        suv_type=_term(first.get("SUVType"), _TYPES),
        decay_correction=_term(first.get("DecayCorrection"), {"START", "ADMIN", "NONE"}),
        corrected=_corrected(first),
        weight=_number(first.get("PatientWeight")),
        size=_number(first.get("PatientSize")),
        sex=_term(first.get("PatientSex"), {"M", "F", "O"}),
        n_tracers=int(_number(first.get("Tracers")) or 0),
        nuclide=first.get("Nuclide", ""),
        dose=_number(first.get("RadionuclideTotalDose")),
        half_life_seconds=_number(first.get("RadionuclideHalfLife")),
        injected_seconds=_after(injected, begin),
        injected_by=by,
        series_seconds=_after(min(series, default=None), begin),
        ge_scan_seconds=_after(min(scans, default=None), begin),
        corrected_to_seconds=_after(corrected_to, begin),
        beds=tuple(sorted(beds, key=lambda b: (b.acquired_seconds, str(b)))),
        philips_suv_factor=_number(first.get("PhilipsSUVFactor")),
        philips_activity_factor=_number(first.get("PhilipsActivityFactor")),
        differing=(*(("Units",) if len(units) > 1 else ()), *differing),
        doubts=doubts,
    )


def attributes_of(facts: SuvFacts | None) -> tuple[Attribute, ...]:
    """The injected dose and the time from injection to scan, where they are known."""
    if facts is None:
        return ()
    out = []
    dose, uptake = dose_bq(facts), uptake_seconds(facts)
    if isinstance(dose, Quantity) and not facts.differing:
        out.append(Attribute(name="injected_dose_mbq", value=f"{dose.value / 1e6:.6g}", unit="MBq"))
    if uptake is not None:
        out.append(Attribute(name="uptake_minutes", value=f"{uptake / 60:.6g}", unit="min"))
    return tuple(out)


@lru_cache(maxsize=1 << 14)
def _parsed(texts: tuple[str, ...]) -> _Texts:
    return {name: value for name, _, value in (t.partition("=") for t in texts)}


def _same(text: str | None) -> str | float | None:
    """What two values are compared by: numbers may be written in several ways."""
    number = _number(text)
    return text if number is None else number


def _number(text: str | None) -> float | None:
    if text is None or "_" in text or not text.isascii():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _corrected(texts: _Texts) -> tuple[str, ...]:
    """The corrections of the image; enhanced objects have an attribute for each (C.8.22.5)."""
    found = {w.strip().upper() for w in texts.get("CorrectedImage", "").split("\\")} - {""}
    for name, word in (("DecayCorrected", "DECY"), ("AttenuationCorrected", "ATTN")):
        found |= {word} if texts.get(name, "").upper() == "YES" else set()
    return tuple(sorted(found & _CORRECTIONS)) or (("OTHER",) if found else ())


def _term(text: str | None, known: set[str]) -> str:
    """A term of the standard, "" where there is none, and "OTHER" for any text that is no such term."""
    term = (text or "").strip().upper()
    return term if term in known or not term else "OTHER"


def _bed(texts: _Texts, seconds: float) -> BedTime:
    duration, reference = (_number(texts.get(n)) for n in ("ActualFrameDuration", "FrameReferenceTime"))
    return BedTime(
        acquired_seconds=seconds,
        duration_seconds=None if duration is None else duration / 1000,
        decay_factor=_number(texts.get("DecayFactor")),
        reference_seconds=None if reference is None else reference / 1000,
    )


def _injected(texts: _Texts, begin: float | None) -> tuple[float | None, str, tuple[str, ...]]:
    """When the tracer was injected, how that was told, and what is wrong with it."""
    full, clock = (
        texts.get("RadiopharmaceuticalStartDateTime"),
        _clock(texts.get("RadiopharmaceuticalStartTime")),
    )
    moment = _date_time(full)
    if moment is None:
        if full:
            return None, "", ("Radiopharmaceutical Start DateTime cannot be understood",)
        if clock is None or begin is None:
            return None, "", ()
        moment = math.floor(begin / _DAY) * _DAY + clock
        return moment - _DAY if moment > begin else moment, "time", ()
    said = _zone(full), texts.get("TimezoneOffsetFromUTC", "")
    shift = _zone_seconds(said[1]) - _zone_seconds(said[0]) if all(said) else 0.0
    if said[0] and not said[1]:
        return None, "", ("the injection has a time zone and the images have none",)
    apart = 0.0 if clock is None else abs((moment - clock + _DAY / 2) % _DAY - _DAY / 2)
    if apart > _SAME_SECONDS:
        return None, "", ("Radiopharmaceutical Start DateTime and Start Time contradict each other",)
    return moment + shift, "datetime", ()


def _zone(text: str | None) -> str:
    match = _DATE_TIME.fullmatch(text or "")
    return (match[3] or "") if match else ""


def _zone_seconds(text: str) -> float:
    if not re.fullmatch(r"[+-]\d{4}", text):
        return 0.0
    return (1 if text[0] == "+" else -1) * (int(text[1:3]) * 3600.0 + int(text[3:]) * 60.0)


def _acquired(texts: _Texts) -> float | None:
    full = _date_time(texts.get("AcquisitionDateTime"))
    if full is not None:
        return full
    return _moment(texts.get("AcquisitionDate") or texts.get("SeriesDate"), texts.get("AcquisitionTime"))


def _series(texts: _Texts) -> float | None:
    return _moment(texts.get("SeriesDate") or texts.get("AcquisitionDate"), texts.get("SeriesTime"))


def _moment(day: str | None, clock: str | None) -> float | None:
    """Seconds of a date and a time; without a date, of the day."""
    seconds, start = _clock(clock), _day(day)
    return None if seconds is None else seconds + (start or 0.0)


def _date_time(text: str | None) -> float | None:
    match = _DATE_TIME.fullmatch(text or "")
    if match is None:
        return None
    day, clock = _day(match[1]), _clock(match[2])
    return None if day is None or clock is None else day + clock


def _day(text: str | None) -> float | None:
    match = _DATE.fullmatch(text or "")
    try:
        return None if match is None else date(int(match[1]), int(match[2]), int(match[3])).toordinal() * _DAY
    except ValueError:
        return None


def _clock(text: str | None) -> float | None:
    match = _TIME.fullmatch(text or "")
    if match is None:
        return None
    hours, minutes, seconds = (int(match[n] or 0) for n in (1, 2, 3))
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return hours * 3600.0 + minutes * 60.0 + seconds + float(match[4] or 0)


def _after(moment: float | None, begin: float | None) -> float | None:
    """Seconds after the first acquisition, rounded to what clocks tell."""
    return None if moment is None or begin is None else round(moment - begin, 6)
