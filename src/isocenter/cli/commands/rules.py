"""List the rules, or say what one of them checks and why."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean
from isocenter.cli.console import show, show_table
from isocenter.cli.flags import AsJson
from isocenter.rules import Rule
from isocenter.rules.engine import CATALOGUE


class _ListOrShow(TyperGroup):
    """`isocenter rules` lists them, `isocenter rules NAME` shows one: the two words may be left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the word that was left out."""
        words = [a for a in args if not a.startswith("-")]
        if (not words and "--help" not in args) or args[:1] == ["--family"]:
            args = ["list", *args]
        elif words and words[0] not in self.commands:
            args = ["show", *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(
    cls=_ListOrShow,
    help="List the rules, or say what one of them checks and why.",
    add_completion=False,
)


@app.command(name="list")
def list_rules(
    *,
    family: Annotated[
        str, typer.Option("--family", help="Only the rules of this family, e.g. geometry.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List the rules with what they look at and how they weigh."""
    families = sorted({name.partition("/")[0] for name in CATALOGUE.names()})
    if family and family not in families:
        hint = did_you_mean(family, families) or f"; there are {', '.join(families)}"
        raise ConfigError(f"there is no family of rules {family!r}{hint}")
    documents = [document_of(r) for name, r in CATALOGUE if family in {"", name.partition("/")[0]}]
    if as_json:
        show(documents, [], as_json=True)
        return
    rows = [(d["name"], d["scope"], d["severity"], d["summary"]) for d in documents]
    show_table(("rule", "looks at", "severity", "what it sees"), rows)


@app.command(name="show")
def show_rule(
    name: Annotated[str, typer.Argument(help="The rule, e.g. geometry/missing-slices.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say what one rule checks, why it matters, what to do, and which options it has."""
    rule = CATALOGUE.get(name)
    show(document_of(rule), lines_of(rule), as_json=as_json)


def document_of(rule: Rule[Any]) -> dict[str, Any]:
    """A rule as plain data."""
    text = inspect.getdoc(rule) or ""
    return {
        "name": rule.name,
        "family": rule.name.partition("/")[0],
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
