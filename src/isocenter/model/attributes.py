"""Attributes: age, sex, scan parameters, each a value, missing, or withheld."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class AttributeState(enum.StrEnum):
    """Whether an attribute has a value, was never there, or was taken away on purpose."""

    KNOWN = "known"
    MISSING = "missing"
    WITHHELD = "withheld"


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
