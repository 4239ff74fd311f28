"""Attributes of a series: age, sex, weight and scan parameters, each with its state and where it was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from isocenter.imaging.bodies import kilograms_of
from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.device_terms import BODY_PARTS, DeviceTerms
from isocenter.model.vocabulary import scrub
from isocenter.stages.index.compression import COMPRESSION_ATTRIBUTES
from isocenter.stages.index.radiograph import RADIOGRAPH_ATTRIBUTES

_AGE = re.compile(r"(\d{3})([DWMY])")
_IN_A_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1}
_SEXES = {"M", "F", "O"}
# Ages from 90 on are one group: they point to single persons (45 CFR 164.514).
_OLDEST = 90
_PERSONAL = ("age_years", "sex", "weight_kg")
_SCAN = {
    "manufacturer": ("manufacturer", ""),
    "model": ("model", ""),
    "body_part": ("body_part", ""),
    "convolution_kernel": ("convolution_kernel", ""),
    "kvp": ("kvp", "kV"),
    "echo_time_ms": ("echo_time_ms", "ms"),
    "repetition_time_ms": ("repetition_time_ms", "ms"),
    "inversion_time_ms": ("inversion_time_ms", "ms"),
    "b_value": ("b_value", "s/mm2"),
    "contrast_agent": ("contrast_agent", ""),
    "field_strength_t": ("field_strength_t", "T"),
    "slice_thickness_mm": ("slice_thickness_mm", "mm"),
}
# Columns that the attributes of a scan are taken from, and the names of all attributes.
SCAN_COLUMNS = tuple(column for column, _ in _SCAN.values())
ATTRIBUTES = (*_PERSONAL, *_SCAN, *RADIOGRAPH_ATTRIBUTES, *COMPRESSION_ATTRIBUTES)
# People type into these; what scanners write there by themselves is kept.
_FREE_TEXT = {"manufacturer", "model", "body_part", "convolution_kernel", "contrast_agent"}


class Person(NamedTuple):
    """What one header says of a person's age, sex and weight."""

    age: str | None
    birth_date: str | None
    study_date: str | None
    sex: str | None
    weight_kg: float | None


def personal(header: Person) -> dict[str, str]:
    """Age, sex and weight that one header holds, as texts; what is absent or senseless is left out."""
    out = {}
    if (age := _age_years(header)) is not None:
        out["age_years"] = f"{min(age, _OLDEST):g}"
    if header.sex in _SEXES:
        out["sex"] = header.sex
    if header.weight_kg is not None and (weight := kilograms_of(header.weight_kg)) is not None:
        out["weight_kg"] = f"{weight:g}"
    return out


def _age_years(header: Person) -> int | None:
    """Whole years from Patient's Age (VR AS, PS3.5 6.2), else from birth and study date."""
    if header.age and (parts := _AGE.fullmatch(header.age)):
        return int(int(parts[1]) / _IN_A_YEAR[parts[2]])
    born, studied = header.birth_date or "", header.study_date or ""
    if re.fullmatch(r"\d{8}", born) and re.fullmatch(r"\d{8}", studied) and born <= studied:
        return (int(studied) - int(born)) // 10_000
    return None


def attributes_of(
    first: Mapping[str, Any],
    own: Mapping[str, str],
    study: Mapping[str, str],
    subject: Mapping[str, str],
    *,
    is_deidentified: bool,
) -> tuple[Attribute, ...]:
    """All attributes of a series; personal ones are looked up series -> study -> subject.

    Args:
        first: The series' first row.
        own: Personal attributes of the series, where its headers agree.
        study: Those of its study.
        subject: Those of its subject.
        is_deidentified: Whether the headers say that identities were removed, so that what is absent was taken out.
    """
    absent = AttributeState.DEIDENTIFIED if is_deidentified else AttributeState.MISSING
    out = []
    for name in _PERSONAL:
        unit = {"age_years": "years", "weight_kg": "kg"}.get(name, "")
        places = [("series", own), ("study", study)]
        places += [("subject", subject)] if name == "sex" else []  # age and weight change between studies
        source, value = next(((s, p[name]) for s, p in places if name in p), ("series", ""))
        state = AttributeState.KNOWN if value else absent
        out.append(Attribute(name=name, value=value, unit=unit, state=state, source=source))
    for name, (field, unit) in _SCAN.items():
        value = first[field]
        text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
        if text or name in {"manufacturer", "model"}:
            state = AttributeState.KNOWN if text else absent
            out.append(Attribute(name=name, value=text, unit=unit, state=state))
    return tuple(out)


def without_identifiers(
    attributes: Iterable[Attribute], identifiers: frozenset[str], terms: DeviceTerms
) -> tuple[Attribute, ...]:
    """Attributes whose free texts name nobody.

    Args:
        attributes: All attributes of a series.
        identifiers: Names, IDs and birth dates of its subject, which are taken out wherever they stand.
        terms: Knows those of all others, and what a scanner may be called.
    """
    # short names of people are part of terms, as Abd is of ABDOMEN
    return tuple(
        a
        if a.name not in _FREE_TEXT or a.value in BODY_PARTS
        else _told(a, terms.clean(_scrubbed(a.value, identifiers)))
        for a in attributes
    )


def _told(attribute: Attribute, text: str) -> Attribute:
    """An attribute with what may be told of its text; it is withheld where that is nothing."""
    if text == attribute.value:
        return attribute
    if not any(c.isalnum() for c in text):
        return replace(attribute, value="", state=AttributeState.WITHHELD)
    return replace(attribute, value=text)


# one subject may go by very many names, where an ID stands for a whole centre
@lru_cache(maxsize=4096)
def _scrubbed(text: str, identifiers: frozenset[str]) -> str:
    return scrub(text, identifiers)


def gather(headers: Iterable[Person]) -> tuple[dict[str, str], set[str]]:
    """The personal attributes that some headers agree on, and the names of those they do not."""
    found: dict[str, set[str]] = {}
    for header in headers:
        for name, value in personal(header).items():
            found.setdefault(name, set()).add(value)
    return agreed(found)


def agreed(found: Mapping[str, set[str]]) -> tuple[dict[str, str], set[str]]:
    """Attributes that have one value, and the names of those that have more."""
    conflicts = {n for n, values in found.items() if len(values) > 1}
    return {n: min(v) for n, v in found.items() if n not in conflicts}, conflicts
