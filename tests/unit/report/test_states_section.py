"""What raters said: counts, and what is known in part or failed."""

from dataclasses import replace

from isocenter.model.rows import OpinionRow
from isocenter.report.facts import ReportFacts
from isocenter.report.sections.states import render
from tests.contracts.packed import make_case, row_of


def opinion(label, rater, state, *, case="case-0001", looked=1.0):
    return OpinionRow(case=case, label=label, rater=rater, state=state, looked=looked)


FACTS = ReportFacts(cases=(row_of(make_case(1), 0), row_of(make_case(2), 0)))


def test_every_state_is_counted():
    rows = (
        opinion("tumour", "a", "marked"),
        opinion("tumour", "a", "absent", case="case-0002"),
        opinion("tumour", "b", "partial", looked=0.25),
        opinion("node", "", "failed", looked=0.0),
        opinion("tumour", "a", "marked", case="of no packed case"),
    )
    _, table, partial, failed = render(replace(FACTS, opinions=rows))
    assert table.rows == (
        ("node", "unnamed", "0", "0", "0", "0", "1"),
        ("tumour", "a", "1", "1", "0", "0", "0"),
        ("tumour", "b", "0", "0", "0", "1", "0"),
    )
    assert [c.title for c in table.columns] == [
        "Label", "Rater", "marked", "absent", "not annotated", "partial", "failed",
    ]  # fmt: skip
    assert "1 annotation" in partial.title
    assert partial.blocks[0].rows == (("case-0001", "tumour", "b", "25.0%", "0.000"),)
    assert failed.blocks[0].rows[0][1] == "node"


def test_nothing_is_told_where_nothing_is_known():
    assert "No cases" in str(render(ReportFacts()))
    assert "Nobody" in str(render(FACTS))
