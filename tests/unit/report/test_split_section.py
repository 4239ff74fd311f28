import dataclasses
from importlib import import_module

from isocenter.report.blocks import Fold, Notice, Table

split = import_module("isocenter.report.sections.split")


def certificate(facts):
    blocks = split.render(facts)
    notice = next(b for b in blocks if isinstance(b, Notice))
    checks = next(b for b in blocks if isinstance(b, Fold)).blocks[0]
    assert isinstance(checks, Table)
    return notice, {row[0]: row[1] for row in checks.rows}


def with_rows(facts, rows):
    return dataclasses.replace(facts, splits=(dataclasses.replace(facts.split, rows=tuple(rows)),))


def test_a_sound_split_is_certified(facts):
    notice, checks = certificate(facts)
    assert notice.tone == "good"
    assert set(checks.values()) == {"0"}


def test_a_subject_in_two_partitions_is_found(facts):
    first = facts.split.rows[0]
    other = "train" if first.partition != "train" else "test"
    notice, checks = certificate(
        with_rows(facts, [*facts.split.rows, dataclasses.replace(first, partition=other, cases=())])
    )
    assert notice.tone == "bad"
    assert checks["Subjects in more than one partition"] == "1"
    assert checks["Groups in more than one partition"] == "1"


def test_a_group_in_two_partitions_is_found(facts):
    rows = [dataclasses.replace(r, group="family") for r in facts.split.rows]
    assert certificate(with_rows(facts, rows))[1]["Groups in more than one partition"] == "1"


def test_cases_listed_twice_under_another_subject_or_not_at_all_are_found(facts):
    rows = list(facts.split.rows)
    rows[1] = dataclasses.replace(rows[1], cases=rows[0].cases)
    checks = certificate(with_rows(facts, rows))[1]
    assert checks["Cases listed more than once"] == "1"
    assert checks["Cases listed under another subject"] == "1"
    assert checks["Packed cases without a partition"] == "1"


def test_prevalence_counts_known_cases_only(facts):
    tables = [
        b
        for part in split.render(facts)
        if hasattr(part, "blocks")
        for b in part.blocks
        if isinstance(b, Table)
    ]
    rows = next(t for t in tables if t.caption.startswith("Prevalence")).rows
    node = [r for r in rows if r[0] == "lymph node"]
    states = [s.state for c in facts.cases for s in c.labels if s.label == "lymph node"]
    assert sum(int(r[2]) for r in node) == states.count("positive")
    assert sum(int(r[3]) for r in node) == len(states) - states.count("unknown")
    assert sum(int(r[6]) for r in node) == states.count("unknown")
