"""Attributes: age, sex, scan parameters, each a value, missing, withheld, or de-identified."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class AttributeState(enum.StrEnum):
    """Whether an attribute has a value, and why not where it has none.

    Attributes:
        KNOWN: It has a value.
        MISSING: There is none in the files, and nobody says that one was taken out.
        WITHHELD: There is one in the files that is kept back, as it would name a person.
        DEIDENTIFIED: There is none in the files, and they say that they were de-identified: Patient Identity Removed
            (0012,0062) is YES (PS3.3 C.7.1.1, PS3.15 E).
    """

    KNOWN = "known"
    MISSING = "missing"
    WITHHELD = "withheld"
    DEIDENTIFIED = "de-identified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One typed fact about a case: `value` as text, its unit, its state and where it was found.

    `source` is "series", "study" or "subject", the nearest of which holds a value.
    """

    name: str
    value: str = ""
    unit: str = ""
    state: AttributeState = AttributeState.KNOWN
    source: str = "series"
