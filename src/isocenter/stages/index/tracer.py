"""From what the headers of a PET series say of its tracer to `SuvFacts`: times become seconds, dates go."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from isocenter.imaging.bodies import Quantity
from isocenter.imaging.suv import dose_bq, uptake_seconds
from isocenter.model.attributes import Attribute
from isocenter.model.suv import BedTime, SuvFacts
from isocenter.stages.index.clocks import DAY, Instant, clock_of, instant_of, instant_of_date_time, zone_of
from isocenter.stages.index.columns import Members, Rows

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
    acquired = {n: i for n, t in enumerate(whole) if (i := _acquired(t)) is not None}
    corrected_to = instant_of_date_time(first.get("DecayCorrectionDateTime"), _zone(first))
    begin = min(acquired.values(), key=lambda i: i.seconds, default=corrected_to)
    beds = {_bed(whole[n], i.seconds - begin.seconds) for n, i in acquired.items()} if begin else set()
    injected, by, doubts = _injected(first, begin)
    series = _earliest(_series(t) for t in own)
    scan = _earliest(instant_of_date_time(t.get("GEScanDateTime"), _zone(t)) for t in own)
    # where the moment of the values is told, nobody asks for the start
    starts = [] if corrected_to else [series, scan]
    doubts = (
        *doubts,
        *_doubts_of(first, whole, acquired),
        *_doubts_of_zones([*acquired.values(), corrected_to, injected, *starts]),
    )
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
        series_seconds=_after(series, begin),
        ge_scan_seconds=_after(scan, begin),
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


def _injected(texts: _Texts, begin: Instant | None) -> tuple[Instant | None, str, tuple[str, ...]]:
    """When the tracer was injected, how that was told, and what is wrong with it."""
    full, time = texts.get("RadiopharmaceuticalStartDateTime"), texts.get("RadiopharmaceuticalStartTime")
    clock, zone = clock_of(time), _zone(texts)
    if full:
        moment = instant_of_date_time(full, zone)
        if moment is None:
            return None, "", ("Radiopharmaceutical Start DateTime cannot be understood",)
        # the clock beside it is that of the object; where its zone is not named, that of the date and time
        local = moment.seconds + ((moment.zone if zone is None else zone) or 0.0)
        apart = 0.0 if clock is None else abs((local - clock + DAY / 2) % DAY - DAY / 2)
        if apart > _SAME_SECONDS:
            return None, "", ("Radiopharmaceutical Start DateTime and Start Time contradict each other",)
        return moment, "datetime", ()
    if time and clock is None:
        return None, "", ("Radiopharmaceutical Start Time cannot be understood",)
    if clock is None or begin is None:
        return None, "", ()
    shift = zone or 0.0
    last = math.floor((begin.seconds + shift) / DAY) * DAY + clock - shift
    return Instant(last - DAY if last > begin.seconds else last, zone), "time", ()


def _doubts_of(first: _Texts, whole: Sequence[_Texts], acquired: Mapping[int, Instant]) -> tuple[str, ...]:
    """What is wrong with the times of the images."""
    out = []
    lost = [t for n, t in enumerate(whole) if n not in acquired]
    if any(t.get("AcquisitionTime") or t.get("AcquisitionDateTime") for t in lost):
        out.append("Acquisition Time cannot be understood")
    elif acquired and lost:
        out.append("some slices have no Acquisition Time")
    moment = first.get("DecayCorrectionDateTime")
    if moment and instant_of_date_time(moment, None) is None:
        out.append("Decay Correction DateTime cannot be understood")
    told = [
        moment,
        first.get("RadiopharmaceuticalStartDateTime") or first.get("RadiopharmaceuticalStartTime"),
    ]
    if len({_zone(t) for t in whole}) > 1 and any(t and not _has_zone(t) for t in told):
        out.append(
            "slices are of several time zones, and nothing says in which of them the tracer's times are"
        )
    return tuple(out)


def _doubts_of_zones(moments: Iterable[Instant | None]) -> tuple[str, ...]:
    """Times with a zone and times without one do not tell what lies between them."""
    if len({m.zone is None for m in moments if m is not None}) < 2:
        return ()
    return (
        "some times have a time zone and others have none: Timezone Offset From UTC (0008,0201) is missing",
    )


def _has_zone(text: str) -> bool:
    moment = instant_of_date_time(text, None)
    return moment is not None and moment.zone is not None


def _zone(texts: _Texts) -> float | None:
    return zone_of(texts.get("TimezoneOffsetFromUTC"))


def _acquired(texts: _Texts) -> Instant | None:
    full = instant_of_date_time(texts.get("AcquisitionDateTime"), _zone(texts))
    if full is not None:
        return full
    day = texts.get("AcquisitionDate") or texts.get("SeriesDate")
    return instant_of(day, texts.get("AcquisitionTime"), _zone(texts))


def _series(texts: _Texts) -> Instant | None:
    day = texts.get("SeriesDate") or texts.get("AcquisitionDate")
    return instant_of(day, texts.get("SeriesTime"), _zone(texts))


def _earliest(moments: Iterable[Instant | None]) -> Instant | None:
    return min((m for m in moments if m is not None), key=lambda m: m.seconds, default=None)


def _after(moment: Instant | None, begin: Instant | None) -> float | None:
    """Seconds after the first acquisition, rounded to what clocks tell."""
    return None if moment is None or begin is None else round(moment.seconds - begin.seconds, 6)
