"""The page of rules: every rule of the catalogue, its own docstring as its text."""

from __future__ import annotations

from typing import Any

from isocenter.rules.engine import CATALOGUE
from isocenter.rules.rule import Rule
from scripts.reference.docstrings import markdown_of, summary_of, table
from scripts.reference.options import options_table

_HEAD = """# Rules

A rule looks at one kind of thing and tells what it sees. What it sees weighs as its severity says, unless
`screen.severity` says otherwise: a *note* changes nothing, a *review* holds the thing back until a person
decides, a *reject* leaves it out. `screen.select` and `screen.ignore` take names of rules or of whole families.
"""


def page() -> str:
    """All rules, by family."""
    rules = list(CATALOGUE)
    rows: list[list[object]] = [
        [f"[{name}](#{_anchor(name)})", rule.scope.__name__, rule.severity.value, summary_of(rule.__doc__)]
        for name, rule in rules
    ]
    parts = [_HEAD, table(["rule", "looks at", "severity", "what it sees"], rows)]
    family = ""
    for name, rule in rules:
        if name.partition("/")[0] != family:
            family = name.partition("/")[0]
            parts.append(f"## {family}")
        parts.append(_section(name, rule))
    return "\n\n".join(parts)


def _section(name: str, rule: Rule[Any]) -> str:
    facts = f"Looks at a {rule.scope.__name__}; severity {rule.severity.value}; since {rule.since}"
    facts += f"; {rule.clause}." if rule.clause else "."
    parts = [f"({_anchor(name)})=", f"### {name}", facts, markdown_of(rule.__doc__)]
    if rule.options:
        parts += [f'Options, below `screen.options."{name}"`:', options_table(rule.options)]
    return "\n\n".join(parts)


def _anchor(name: str) -> str:
    return "rule-" + name.replace("/", "-")
