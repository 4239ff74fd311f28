"""Decision: what a person said of a case that waited for review."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from isocenter.model.issue import Issue, Severity


class Word(enum.StrEnum):
    """What a person may say of a case."""

    ACCEPT = "accept"
    REJECT = "reject"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One person's word on one case; the last one on a case holds.

    Args:
        case: The case.
        word: Accept, reject, or reopen, which takes back what was said before.
        why: The reason, in the person's words.
        by: Who said it.
        at: When, as ISO 8601 in UTC.
        seen: What the case waited for, as `seen_in` has it: an issue that is new or has changed is not settled.
    """

    case: str
    word: Word
    why: str
    by: str
    at: str
    seen: tuple[str, ...] = ()


def as_seen(issue: Issue) -> str:
    """An issue as a person sees it: its rule and all that it says."""
    return f"{issue.rule} | {issue.message} | {issue.measured} | {issue.expected}"


def seen_in(issues: Iterable[Issue]) -> tuple[str, ...]:
    """What a case waits for: its issues of severity review, in order and each once."""
    return tuple(sorted({as_seen(i) for i in issues if i.severity is Severity.REVIEW}))


def unsettled(issues: Iterable[Issue], settled: Iterable[str]) -> list[Issue]:
    """The issues that no decision has settled; one of severity reject stays whatever was said."""
    known = set(settled)
    return [i for i in issues if i.severity is not Severity.REVIEW or as_seen(i) not in known]
