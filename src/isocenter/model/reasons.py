"""Reasons: the issues that stages and readers raise themselves, each with its severity and what to do.

Catalogue rules check a thing that exists; a reason says why a thing could not come to exist, or what
became of a file that is no image. Both end up in the same table of issues.
"""

from __future__ import annotations

from typing import Any

from isocenter.model.issue import Issue, Severity
from isocenter.model.reading_reasons import READING
from isocenter.model.reason import Reason
from isocenter.model.stage_reasons import STAGES

REASONS: dict[str, Reason] = {**READING, **STAGES}


def because(
    reason: str, *, message: str = "", target: str = "", severity: Severity | None = None, **facts: Any
) -> Issue:
    """An issue for one of the `REASONS`; its severity is the reason's unless said otherwise."""
    known = REASONS[reason]
    texts = {k: "" if v is None else str(v) for k, v in facts.items()}
    return Issue(
        rule=reason,
        target=target,
        severity=severity or known.severity,
        message=message or known.meaning,
        **texts,
    )
