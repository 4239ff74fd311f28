"""What each rule costs: counted by hand on stacks made for it."""

from dataclasses import replace

import pytest

from isocenter.base import tables
from isocenter.base.workspace import Workspace
from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import FileRow, Series, Stack
from isocenter.model.task import Channel
from isocenter.rules.select import ScreenOptions
from isocenter.stages.screen.costs import costs
from isocenter.testing.rules import a_series, a_stack

CT = {"ct": Channel(modality="CT")}
GAP = {"positions_mm": (0.0, 2.5, 5.0, 10.0, 12.5)}


def made_by(name):
    state = AttributeState.KNOWN if name else AttributeState.MISSING
    return (Attribute(name="manufacturer", value=name, state=state),)


@pytest.fixture
def told(tmp_path):
    """Costs of some stacks, of which each is a series and, unless it says otherwise, a subject of its own."""

    def tell(*stacks, channels=CT, issues=(), series=None, **options):
        workspace = Workspace(tmp_path)
        index = workspace.stage("index")
        stacks = [replace(s, files=(f"f-{s.id}", *s.files[1:]), series=f"s-{s.id}") for s in stacks]
        files = [
            FileRow(file_id=s.files[0], source=0, path=f"{s.id}.dcm", size=1, mtime_ns=1, kind="x")
            for s in stacks
        ]
        tables.write(index / "files.parquet", FileRow, files)
        tables.write(index / "stacks.parquet", Stack, stacks)
        rows = [replace((series or {}).get(s.id, a_series()), id=s.series) for s in stacks]
        tables.write(index / "series.parquet", Series, rows)
        tables.write(index / "issues.parquet", Issue, issues)
        workspace.finish("index", "k", digest="d", counts={})
        found = costs(ScreenOptions(**options), channels, [], workspace)
        return found, {c.rule: c for c in found.rules}

    return tell


def test_clean_stacks_cost_nothing(told):
    found, _ = told(a_stack(id="a", subject="1"), a_stack(id="b", subject="2"))
    assert (found.stacks, found.cases, found.rules) == (2, 2, ())


def test_a_rule_that_rejects_takes_its_stacks_and_the_cases_that_have_no_other(told):
    found, cost = told(
        a_stack(id="a", subject="1", attributes=made_by("GE"), **GAP),
        a_stack(id="b", subject="1"),
        a_stack(id="c", subject="2", attributes=made_by(""), **GAP),
        a_stack(id="d", subject="3"),
    )
    gap = cost["geometry/missing-slices"]
    assert (found.stacks, found.cases) == (4, 3)
    assert (gap.severity, gap.stacks, gap.share) == ("reject", 2, 0.5)
    assert (gap.only_stacks, gap.only_cases) == (2, 1)
    assert gap.manufacturers == {"GE": 1, "unknown": 1}


def test_what_another_rule_rejects_is_no_cost_of_this_one(told):
    both = {**GAP, "image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}
    _, cost = told(a_stack(id="a", subject="1", **both), a_stack(id="b", subject="2", **GAP))
    gap, localizer = cost["geometry/missing-slices"], cost["content/localizer"]
    assert (gap.stacks, gap.only_stacks, gap.only_cases) == (2, 1, 1)
    assert (localizer.stacks, localizer.only_stacks, localizer.only_cases) == (1, 0, 0)


@pytest.mark.parametrize("severity", [Severity.NOTE, Severity.REVIEW, Severity.REJECT])
def test_a_rule_that_only_reviews_tells_what_it_would_take(told, severity):
    rule = "header/missing-device"
    _, cost = told(
        a_stack(id="a", subject="1", attributes=made_by("")),
        a_stack(id="b", subject="2"),
        series={"a": a_series(has_manufacturer=False, has_model=False)},
        severity={rule: severity},
    )
    device = cost[rule]
    assert device.severity == severity.value
    assert (device.stacks, device.only_stacks, device.only_cases) == (1, 1, 1)
    assert device.manufacturers == {"unknown": 1}


@pytest.mark.parametrize(
    "options", [{"ignore": {"geometry/missing-slices": "a reason"}}, {"select": ("content",)}]
)
def test_a_rule_that_is_switched_off_is_told_all_the_same(told, options):
    both = {**GAP, "image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}
    _, cost = told(a_stack(id="a", subject="1", **both), a_stack(id="b", subject="2", **GAP), **options)
    gap = cost["geometry/missing-slices"]
    assert (gap.severity, gap.stacks, gap.only_stacks) == ("ignored", 2, 1)
    assert cost["content/localizer"].only_stacks == 1  # nothing that runs rejects it besides


def test_a_case_needs_an_image_for_every_channel_that_is_not_optional(told):
    channels = {"ct": Channel(modality="CT"), "mr": Channel(modality="MR")}
    stacks = [
        a_stack(id="a", subject="1"),
        a_stack(id="b", subject="1", modality="MR", **GAP),
        a_stack(id="c", subject="2"),
    ]
    found, cost = told(*stacks, channels=channels)
    assert found.cases == 1
    assert cost["geometry/missing-slices"].only_cases == 1
    optional = channels | {"mr": Channel(modality="MR", optional=True)}
    found, cost = told(*stacks, channels=optional)
    assert found.cases == 2
    assert cost["geometry/missing-slices"].only_cases == 0


def test_what_the_index_saw_counts_and_what_nobody_asks_for_does_not(told):
    lost = Issue(message="m", rule="index/lost-slices", target="a", severity=Severity.REVIEW)
    found, cost = told(
        a_stack(id="a", subject="1"), a_stack(id="b", subject="2", modality="US", **GAP), issues=[lost]
    )
    assert found.stacks == 1
    assert set(cost) == {"index/lost-slices"}
    assert cost["index/lost-slices"].severity == "review"


def test_the_costliest_rule_comes_first(told):
    found, _ = told(
        a_stack(id="a", subject="1", **GAP),
        a_stack(id="b", subject="2", **GAP),
        a_stack(id="c", subject="3", image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")),
    )
    assert [c.rule for c in found.rules][:2] == ["geometry/missing-slices", "content/localizer"]
