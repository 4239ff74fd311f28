"""What every section of the report promises (see `isocenter.report.section.Section`)."""

from __future__ import annotations

import dataclasses
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from isocenter.report.blocks import Block, Notice, Prose
from isocenter.report.facts import ReportFacts, read_facts
from isocenter.report.section import SECTIONS, in_order

NAMES = SECTIONS.names()
# The fields a run has filled in when it stops after a stage.
REACHED = {
    "nothing": (),
    "index": ("kinds", "stacks", "values"),
    "screen": ("kinds", "stacks", "values", "verdicts", "issues"),
    "enrol": ("kinds", "stacks", "values", "verdicts", "issues", "planned", "outcomes"),
}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> ReportFacts:
    made = runpy.run_path(str(Path(__file__).parents[1] / "unit/report/conftest.py"))
    workspace = made["make_workspace"](tmp_path_factory.mktemp("sections"), subjects=12, size=8)
    return read_facts(workspace, contract=made["CONTRACT"], windows=made["WINDOWS"])


def every(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        yield block
        yield from every(getattr(block, "blocks", ()))
        yield from getattr(block, "drawings", ())


def test_places_are_taken_once():
    orders = [section.ORDER for _, section in in_order()]
    assert len(set(orders)) == len(orders)
    assert orders == sorted(orders)


@pytest.mark.parametrize("name", NAMES)
class TestSection:
    def test_has_a_title(self, name: str):
        assert SECTIONS.get(name).TITLE.strip()

    @pytest.mark.parametrize("reached", REACHED)
    def test_says_in_a_sentence_what_is_not_there(self, name: str, reached: str, facts: ReportFacts):
        early = ReportFacts(**{field: getattr(facts, field) for field in REACHED[reached]})
        blocks = SECTIONS.get(name).render(early)
        assert any(isinstance(b, Prose | Notice) and b.text.endswith(".") for b in every(blocks))

    def test_does_with_tables_without_rows(self, name: str):
        empty = ReportFacts(
            kinds={}, outcomes=(), values=(), issues=(), stacks=(), verdicts={}, planned=(), cases=(),
            agreements=(), previews=(), run={},
        )  # fmt: skip
        assert SECTIONS.get(name).render(empty)

    def test_same_facts_same_blocks(self, name: str, facts: ReportFacts):
        assert SECTIONS.get(name).render(facts) == SECTIONS.get(name).render(dataclasses.replace(facts))

    def test_ids_in_drawings_begin_with_its_name(self, name: str, facts: ReportFacts):
        for block in every(SECTIONS.get(name).render(facts)):
            if block.kind == "drawing":
                assert all(i.startswith(f"{name}-") for i in re.findall(r'\bid="([^"]*)"', block.svg))

    def test_shows_no_path_and_no_free_text_of_headers(self, name: str, facts: ReportFacts):
        assert "DOE" not in repr(SECTIONS.get(name).render(facts))
        assert "/home/" not in repr(SECTIONS.get(name).render(facts))
