"""Advice: what a rule's issue means and what can be done, from the rule's own documentation."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from isocenter.base.errors import UnknownPlugin
from isocenter.model.reasons import REASONS
from isocenter.rules.engine import CATALOGUE

_HEADING = re.compile(r"^(?P<title>[A-Z][A-Za-z ]*):?$")
_TITLES = {"Why it matters", "What to do", "Examples", "Example", "References", "Args", "Yields", "Options"}


@dataclass(frozen=True, slots=True)
class Advice:
    """What an issue means, why that matters, and what a person can do; "" where nothing is written."""

    meaning: str = ""
    why: str = ""
    what_to_do: str = ""


def advice_on(rule: str) -> Advice:
    """The advice of a reason or a catalogue rule; nothing for a rule that is not installed here."""
    if reason := REASONS.get(rule):
        return Advice(meaning=reason.meaning, what_to_do=reason.what_to_do)
    try:
        text = inspect.cleandoc(CATALOGUE.get(rule).__doc__ or "")
    except UnknownPlugin:
        return Advice()
    first, parts = parts_of(text)
    return Advice(first, parts.get("Why it matters", ""), parts.get("What to do", ""))


def parts_of(text: str) -> tuple[str, dict[str, str]]:
    r"""First line of a docstring, and the text under each of a rule's fixed headings as one paragraph.

    >>> parts_of("A gap.\n\nWhat to do:\n    Look for\n    the slice.\n\nExamples:\n    None.")
    ('A gap.', {'What to do': 'Look for the slice.', 'Examples': 'None.'})
    """
    lines = text.splitlines()
    parts: dict[str, list[str]] = {}
    under = ""
    for line in lines[1:]:
        heading = _HEADING.match(line)
        if heading and heading["title"] in _TITLES:
            under = heading["title"]
            parts[under] = []
        elif under:
            parts[under].append(line.strip())
    return (lines[0] if lines else ""), {k: " ".join(filter(None, v)) for k, v in parts.items()}
