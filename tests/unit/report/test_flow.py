"""Every stack and case leaves the flow at one gate, for one reason, and nothing gets lost."""

from __future__ import annotations

import dataclasses
import itertools
import re

import pytest

from isocenter.report.diagram import draw_flow
from isocenter.report.facts import ReportFacts
from isocenter.report.flow import NO_REASON, Flow, Step, flow_of, sorted_partitions


@pytest.fixture(scope="module")
def flow(facts: ReportFacts) -> Flow:
    return flow_of(facts)


def step(flow: Flow, title: str) -> Step:
    return next(s for s in flow.steps if s.title == title)


def test_the_planted_flow_is_told(flow: Flow):
    told = {s.title: (s.count, dict(s.exits)) for s in flow.steps}
    nowhere = {
        "ignored: text": 7,
        "excluded: file/truncated": 3,
        "held: enrol/ambiguous-annotation": 1,
        "ignored: symlink": 1,
    }
    assert told["Files found"] == (12 * 4 + 7 + 12, nowhere)
    assert told["Image stacks"] == (12, {"enrol/not-wanted": 1})
    assert told["Stacks wanted"] == (11, {"volume/missing-slices": 1})
    assert told["Stacks kept"] == (10, {"enrol/not-preferred": 1})
    assert told["Cases found"] == (9, {"enrol/missing-channel": 1})
    assert told["Cases planned"] == (8, {"read/values": 1})
    assert told["Cases packed"] == (7, {})


def test_nothing_gets_lost_between_gates(flow: Flow):
    for unit in (
        {"Image stacks", "Stacks wanted", "Stacks kept"},
        {"Cases found", "Cases planned", "Cases packed"},
    ):
        steps = [s for s in flow.steps if s.title in unit]
        for one, following in itertools.pairwise(steps):
            assert one.count - one.n_exits == following.count


def test_all_packed_cases_are_in_a_partition(flow: Flow):
    assert sum(cases for *_, cases in flow.partitions) == step(flow, "Cases packed").count


def test_a_file_without_a_state_is_told(facts: ReportFacts):
    lost = dataclasses.replace(facts, outcomes=tuple(o for o in facts.outcomes if o.file_id != "file-link"))
    assert (NO_REASON, 1) in step(flow_of(lost), "Files found").exits


def test_an_exit_without_an_issue_is_told(facts: ReportFacts):
    mute = dataclasses.replace(facts, issues=(), outcomes=())
    assert step(flow_of(mute), "Stacks kept").exits
    assert {r for s in flow_of(mute).steps[1:] for r, _ in s.exits} <= {NO_REASON, "enrol/missing-channel"}


def test_steps_end_where_the_run_ended(facts: ReportFacts):
    early = dataclasses.replace(facts, planned=None, cases=None, splits=())
    assert [s.title for s in flow_of(early).steps][-1] == "Stacks kept"
    assert flow_of(ReportFacts()) == Flow()


def test_partitions_stand_in_the_order_of_use():
    assert sorted_partitions(["test", "fold-2", "val", "train", ""]) == ["train", "val", "test", "", "fold-2"]


def test_both_drawings_hold_every_count(flow: Flow):
    drawn = draw_flow(flow, "f")
    for part in drawn.split("</svg>")[:2]:
        texts = re.findall(r"<text[^>]*>([^<]*)</text>", part)
        for s in flow.steps:
            assert f"{s.title}: {s.count:,}" in texts
        assert sum(t == "train" for t in texts) == 1


def test_many_reasons_are_summed_up():
    steps = (
        Step(
            title="a",
            count=100,
            exit_title="out",
            exit_unit="file",
            exits=tuple((f"r{n}", 1) for n in range(20)),
        ),
    )
    drawn = draw_flow(Flow(steps=steps), "f")
    assert "13  for 13 other reasons" in drawn
