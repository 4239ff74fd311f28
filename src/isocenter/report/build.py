"""Build: one self-contained HTML page out of a workspace; it opens offline and runs no script."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from isocenter.base.files import write_text
from isocenter.base.workspace import Workspace
from isocenter.model.task import TaskContract, Window
from isocenter.report.facts import ReportFacts, read_facts
from isocenter.report.section import in_order
from isocenter.report.text import plain


def build(facts: ReportFacts, *, only: Collection[str] = ()) -> str:
    """The page as HTML; same facts, same text. With `only`, those sections alone."""
    sections = [(name, s.TITLE, s.render(facts)) for name, s in in_order() if not only or name in only]
    return _environment().get_template("page.html.j2").render(facts=facts, sections=sections)


def write_page(facts: ReportFacts, path: Path, *, only: Collection[str]) -> None:
    """Write a page of some sections alone, wherever one likes."""
    write_text(path, build(facts, only=only))


def write_report(
    workspace: Workspace,
    *,
    title: str = "What became of your archive",
    contract: TaskContract | None = None,
    windows: Mapping[str, Window] | None = None,
    min_dice: float = 0.7,
    min_f1: float = 0.7,
    gallery: int = 60,
    gate: str = "",
) -> Path:
    """Write the page into the workspace, from whatever tables are there.

    Args:
        workspace: Where the stages left their tables.
        title: Heading of the page.
        contract: Task, labels and channels, for the names of mask values.
        windows: The window in which each channel's previews were drawn, by channel.
        min_dice: Below this Dice a case goes to review.
        min_f1: Below this F1 of boxes a case goes to review.
        gallery: Cases shown as pictures, at most.
        gate: The sentence of the gate that closed, "" where none did.

    Returns:
        The page, `report.html`.
    """
    facts = read_facts(
        workspace,
        title=title,
        contract=contract,
        windows=windows,
        min_dice=min_dice,
        min_f1=min_f1,
        gallery=gallery,
        gate=gate,
    )
    write_text(workspace.report, build(facts))
    return workspace.report


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("isocenter.report", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["bounded"] = plain
    return environment


def _shown(value: Any) -> Any:
    """What an expression of a template puts on the page: our own markup as it is, all else made plain."""
    if isinstance(value, Markup):
        return value
    return plain(value, 1200)
