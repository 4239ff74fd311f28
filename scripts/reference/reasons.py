"""The page of reasons: what stages and readers say when something is not used, and what to do."""

from __future__ import annotations

from isocenter.model.reasons import REASONS
from scripts.reference.docstrings import table

_HEAD = """# Reasons

A rule looks at a thing that exists. A reason says why a thing could not come to exist, or what became of a
file. Both end up in the same table of issues, and `isocenter explain` shows both. A *note* changes nothing,
a *review* holds the thing back until a person decides, a *reject* leaves it out.
"""


def page() -> str:
    """Every reason, by the stage that gives it."""
    parts = [_HEAD]
    for family in dict.fromkeys(name.partition("/")[0] for name in REASONS):
        rows: list[list[object]] = [
            [f"`{name}`", reason.severity.value, reason.meaning, reason.what_to_do]
            for name, reason in sorted(REASONS.items())
            if name.startswith(f"{family}/")
        ]
        parts += [f"## {family}", table(["reason", "severity", "meaning", "what to do"], rows)]
    return "\n\n".join(parts)
