"""Flow: how many went on at each gate and why the others did not, as a diagram and as a table."""

from __future__ import annotations

from isocenter.report.blocks import Block, Cell, Column, Drawing, Fold, Prose, Table
from isocenter.report.diagram import draw_flow
from isocenter.report.facts import ReportFacts
from isocenter.report.flow import Flow, flow_of

ORDER = 20
TITLE = "From files to partitions"


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """The flow diagram, and the same numbers as a table."""
    flow = flow_of(facts)
    if not flow.steps:
        return (Prose("No source has been indexed in this workspace, so there is no flow to draw."),)
    text = (
        "Each box on the left counts what went on; each box beside an arrow counts what left there, "
        "put down to one reason each. Files make up stacks, stacks make up cases: the unit changes on the way."
    )
    blocks: list[Block] = [
        Prose(text),
        Drawing(draw_flow(flow, "flow")),
        Fold("The flow as a table", (_table(flow),)),
    ]
    if facts.cases is None:
        blocks.append(Prose("The flow ends where the run ended: no cases have been built yet."))
    return tuple(blocks)


def _table(flow: Flow) -> Table:
    rows: list[tuple[Cell | str, ...]] = []
    for step in flow.steps:
        rows.append((step.title, step.note, f"{step.count:,}", ""))
        rows += [(f"{step.exit_title}", Cell(reason), "", f"{count:,}") for reason, count in step.exits]
    rows += [
        (name or "in no partition", f"{subjects:,} subjects", f"{cases:,}", "")
        for name, subjects, cases in flow.partitions
    ]
    columns = (
        Column("Step"),
        Column("Reason or remark"),
        Column("Went on", is_number=True),
        Column("Left", is_number=True),
    )
    return Table("What went on and what left at each gate", columns, tuple(rows))
