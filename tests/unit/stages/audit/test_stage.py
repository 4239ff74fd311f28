"""The audit: rules of splits, and equal images in different partitions."""

from isocenter.model.split import Split, SplitRow
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.audit.stage import audit

ENGINE = Engine(ScreenOptions())


def made(*rows, name="mine"):
    return Split(strategy="x", seed=0, fractions={"train": 0.5, "test": 0.5}, rows=rows, id=name)


def row(subject, partition, *cases, **more):
    return SplitRow(subject=subject, partition=partition, cases=cases, **more)


GOOD = made(row("a", "train", "k1"), row("b", "test", "k2"))


def rules(found):
    return [i.rule for i in found.issues]


def test_a_good_split_passes():
    found = audit([GOOD], engine=ENGINE, digests={"k1": "x", "k2": "y"})
    assert (found.passed, found.issues, found.splits) == (True, (), ("mine",))


def test_a_subject_in_two_partitions_fails():
    found = audit([made(*GOOD.rows, row("a", "test", "k3"))], engine=ENGINE)
    assert not found.passed
    assert "split/subject-in-two-partitions" in rules(found)


def test_equal_images_in_two_partitions_fail_under_whatever_names():
    found = audit([GOOD], engine=ENGINE, digests={"k1": "x", "k2": "x"})
    assert not found.passed
    (issue,) = found.issues
    assert (issue.rule, issue.measured) == ("audit/same-images-apart", "a in train, b in test")
    assert issue.source == "mine"


def test_equal_images_of_two_subjects_side_by_side_are_noted():
    split = made(*GOOD.rows, row("c", "train", "k3"))
    found = audit([split], engine=ENGINE, digests={"k1": "x", "k2": "y", "k3": "x"})
    assert found.passed
    assert rules(found) == ["audit/same-images"]


def test_equal_images_of_one_subject_are_no_matter():
    split = made(row("a", "train", "k1", "k3"), GOOD.rows[1])
    assert audit([split], engine=ENGINE, digests={"k1": "x", "k3": "x"}).issues == ()


def test_folds_are_judged_one_by_one():
    other = made(row("b", "train", "k2"), row("a", "test", "k1"), name="other")
    found = audit([GOOD, other], engine=ENGINE, digests={"k1": "x", "k2": "y"})
    assert found.passed
    assert found.splits == ("mine", "other")


def test_the_table_holds_every_split():
    split = made(row("a", "train", labels=("t",)), row("b", "test", labels=("t",)))
    found = audit([split, split], engine=ENGINE)
    assert [(p.partition, p.positive) for p in found.table] == [("train", 1), ("test", 1)] * 2


def test_the_absent_are_left_alone():
    absent = SplitRow(subject="gone", partition="val", is_present=False)
    assert audit([made(*GOOD.rows, absent)], engine=ENGINE).passed
