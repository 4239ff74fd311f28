"""Section: the promise that every part of the report keeps."""

from __future__ import annotations

from typing import Protocol

from isocenter.base.plugins import Plugins
from isocenter.report.blocks import Block
from isocenter.report.facts import ReportFacts


class Section(Protocol):
    """A plain module: its place in the page, its heading, and a function that fills it.

    *Contract*: same facts, same blocks. Any table of the facts may be None (that stage has not run): the
    section then says so in a sentence. Text goes into blocks as it is; the page strips, bounds and escapes
    it. Only drawings carry markup of their own, and the ids in it begin with the section's name. No paths
    and no identifiers but pseudonyms.
    """

    ORDER: int
    TITLE: str

    def render(self, facts: ReportFacts) -> tuple[Block, ...]:
        """What the section shows of the facts."""


SECTIONS: Plugins[Section] = Plugins("isocenter.report.sections")


def in_order() -> list[tuple[str, Section]]:
    """Every section with its name, as they stand on the page."""
    return sorted(SECTIONS, key=lambda item: (item[1].ORDER, item[0]))
