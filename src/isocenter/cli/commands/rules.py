"""List the rules, or say what one of them checks and why."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from isocenter.cli.console import show, show_table
from isocenter.cli.flags import AsJson
from isocenter.rules import Rule
from isocenter.rules.engine import CATALOGUE

app = typer.Typer(add_completion=False)


@app.command()
def rules(
    name: Annotated[str, typer.Argument(help="A rule to be told about; without it, all are listed.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """List the rules with what they look at and how they weigh, or say what one checks, why, and what to do."""
    if name:
        rule = CATALOGUE.get(name)
        show(document_of(rule), lines_of(rule), as_json=as_json)
        return
    documents = [document_of(rule) for _, rule in CATALOGUE]
    if as_json:
        show(documents, [], as_json=True)
        return
    rows = [(d["name"], d["scope"], d["severity"], d["summary"]) for d in documents]
    show_table(("rule", "looks at", "severity", "what it sees"), rows)


def document_of(rule: Rule[Any]) -> dict[str, Any]:
    """A rule as plain data."""
    text = inspect.getdoc(rule) or ""
    return {
        "name": rule.name,
        "scope": rule.scope.__name__,
        "severity": rule.severity,
        "clause": rule.clause,
        "since": rule.since,
        "summary": text.partition("\n")[0],
        "text": text,
        "options": [{"name": o.name, "default": o.default, "help": o.help} for o in rule.options],
    }


def lines_of(rule: Rule[Any]) -> Iterator[str]:
    """A rule as lines."""
    known = document_of(rule)
    clause = f", {rule.clause}" if rule.clause else ""
    yield f"{rule.name}: {rule.severity} of a {known['scope']}{clause} (since {rule.since})"
    yield ""
    yield from known["text"].splitlines()
    if rule.options:
        yield ""
        yield "Options (screen.options in the config):"
        yield from (f"  {o.name}: {o.default}  {o.help}".rstrip() for o in rule.options)
