"""The section of the leak audit tells what was found, and says so where nobody looked."""

from dataclasses import asdict, replace
from importlib import import_module

import pytest

from isocenter.model.issue import Issue, Severity
from isocenter.report.blocks import Drawings, Fold, Notice, Part, Prose, Table
from isocenter.report.build import build, write_page

section = import_module("isocenter.report.sections.audit")

SCORE = {"mean": 0.99, "low": 0.98, "high": 1.0, "each": [0.98, 1.0]}
CLEAN = {
    "splits": ["default"],
    "issues": [],
    "counts": [
        {"split": "default", "partition": "train", "subjects": 8, "sites": 2, "images": 9, "left_out": 1},
        {"split": "default", "partition": "test", "subjects": 2, "sites": 1, "images": 2, "left_out": 0},
    ],
    "table": [],
    "pairs": [],
    "notes": ["images compared by their pixels: 11"],
    "canary": None,
    "passed": True,
}


def leak(**changes):
    known = Issue(
        rule="split/same-pixels",
        target="default",
        severity=Severity.REJECT,
        message="2 images are equal",
        measured="a in train",
    )
    return asdict(replace(known, **changes))


def render(facts, **changes):
    return section.render(replace(facts, audit={**CLEAN, **changes}))


def test_where_nobody_looked_it_says_so(facts):
    (block,) = section.render(replace(facts, audit=None))
    assert isinstance(block, Prose)


def test_a_clean_split_is_good_and_counted(facts):
    notice, table, _ = render(facts)
    assert notice.tone == "good"
    assert isinstance(table, Table)
    assert [row[:4] for row in table.rows] == [
        ("default", "train", "8", "80%"),
        ("default", "test", "2", "20%"),
    ]


@pytest.mark.parametrize(("severity", "tone"), [("reject", "bad"), ("review", "warn"), ("note", "good")])
def test_the_worst_issue_gives_the_tone(facts, severity, tone):
    blocks = render(facts, issues=[leak(severity=severity)])
    assert isinstance(blocks[0], Notice)
    assert blocks[0].tone == tone
    fold = next(b for b in blocks if isinstance(b, Fold))
    assert (fold.title, fold.badge, fold.is_open) == ("split/same-pixels", severity, severity == "reject")


def test_many_issues_are_counted_and_the_first_shown(facts):
    fold = next(b for b in render(facts, issues=[leak()] * 70) if isinstance(b, Fold))
    table = next(b for b in fold.blocks if isinstance(b, Table))
    assert fold.count == "70 issues"
    assert table.caption == "split/same-pixels: the first 50 of 70"
    assert len(table.rows) == 50


def test_pairs_and_the_canary_are_shown(facts):
    pairs = [
        {"a": "x", "b": "y", "score": 0.5, "kind": "cropped"},
        {"a": "p", "b": "q", "score": 0.9, "kind": "mirrored"},
    ]
    canary = {"subjects": 10, "slices": 90, "by_slice": SCORE, "by_subject": SCORE, "summary": "it leaks"}
    blocks = render(facts, pairs=pairs, canary=canary)
    fold = next(b for b in blocks if isinstance(b, Fold))
    assert [row[0] for row in fold.blocks[0].rows] == ["p", "x"]
    part = next(b for b in blocks if isinstance(b, Part))
    assert any(isinstance(b, Drawings) for b in part.blocks)


def test_a_page_of_its_own_has_the_section_alone(facts, tmp_path):
    shown = replace(facts, audit={**CLEAN, "issues": [leak(message="<b>equal</b>")]})
    write_page(shown, tmp_path / "a.html", only=("audit",))
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert text.count("<section") == 1
    assert "<b>equal" not in text
    assert build(shown).count("<section") > 5
