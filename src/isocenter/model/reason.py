"""Reason: why something could not come to exist, or what became of it; each with its severity and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.model.issue import Severity


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was not used: how grave it is, what it means, and what a person can do."""

    severity: Severity
    meaning: str
    what_to_do: str
