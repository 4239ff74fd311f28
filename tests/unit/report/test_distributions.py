"""What became of labels on the grid of their case."""

from dataclasses import replace

from isocenter.model.rows import CaseRow, LabelState
from isocenter.report.blocks import Part, Table
from isocenter.report.sections.distributions import _pieces

EMPTY = CaseRow(
    id="case", subject="s", site="a", timepoint="", shard=0, digest="", verdict="keep", channels=(), shape=(),
    spacing_mm=(), labels=(), raters=(), attributes=(), statistics=(), pixel_digest="",
)  # fmt: skip


def a_state(label: str, **facts: float) -> LabelState:
    return LabelState(label=label, state="positive", **facts)


def test_facts_of_a_label_add_up_over_cases() -> None:
    one = a_state(
        "b",
        drawn_before_ml=2.0,
        drawn_after_ml=1.0,
        drawn_components_before=3,
        drawn_components_after=1,
        vanished=2,
    )
    two = a_state(
        "b",
        drawn_before_ml=2.0,
        drawn_after_ml=2.5,
        drawn_components_before=1,
        drawn_components_after=2,
        split=1,
    )
    three = a_state(
        "a", drawn_before_ml=1.0, drawn_after_ml=1.0, drawn_components_before=1, drawn_components_after=1
    )
    cases = [replace(EMPTY, labels=(one, three)), replace(EMPTY, labels=(two, a_state("c")))]
    (part,) = _pieces(cases)
    assert isinstance(part, Part)
    table = part.blocks[1]
    assert isinstance(table, Table)
    assert table.rows == (
        ("a", "+0.00", "1", "1", "0", "0", "0"),
        ("b", "-12.50", "4", "3", "2", "0", "1"),
    )
    assert _pieces([EMPTY]) == ()
