"""Issue, Severity and Verdict: what a rule saw, and what becomes of the thing it saw it on."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """What an issue does to the thing it was found on, unless a person decides otherwise."""

    NOTE = "note"
    REVIEW = "review"
    REJECT = "reject"


class Verdict(enum.StrEnum):
    """What becomes of a stack or case: the worst severity of its issues."""

    KEEP = "keep"
    REVIEW = "review"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that is wrong with, or was repaired on, one piece of data: a value, never an exception.

    `rule` is `family/rule-name` of the catalogue or a key of `isocenter.model.reasons.REASONS`;
    `target` is the pseudonymous id of what it was found on; `measured` and `expected` are texts with
    their `unit` apart; `clause` names the section of the standard; `message` holds no text taken from
    identifying attributes.
    """

    message: str
    rule: str = ""
    target: str = ""
    severity: Severity | None = None
    measured: str = ""
    expected: str = ""
    unit: str = ""
    clause: str = ""
    source: str = ""


def verdict_of(issues: Iterable[Issue]) -> Verdict:
    """The worst severity of the issues as a verdict."""
    seen = {i.severity for i in issues}
    if Severity.REJECT in seen:
        return Verdict.REJECT
    return Verdict.REVIEW if Severity.REVIEW in seen else Verdict.KEEP
