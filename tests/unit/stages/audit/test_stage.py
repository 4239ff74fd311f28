"""The audit: rules of splits and of all that is known of their images."""

from dataclasses import replace

from isocenter.model.audited import AuditedImage, AuditedSplit
from isocenter.model.descriptor_rows import Pair
from isocenter.model.split import Split, SplitRow
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.audit.stage import audit

ENGINE = Engine(ScreenOptions())


def made(*rows, name="mine"):
    return Split(strategy="x", seed=0, fractions={"train": 0.5, "test": 0.5}, rows=rows, id=name)


def row(subject, partition, *cases, **more):
    return SplitRow(subject=subject, partition=partition, cases=cases, **more)


def seen(split, digests=None, **more):
    """The split with an image for each of its cases."""
    images = tuple(
        AuditedImage(id=c, subject=r.subject, partition=r.partition, digest=(digests or {}).get(c, ""))
        for r in split.rows
        for c in r.cases
    )
    return replace(AuditedSplit(split=split, images=images), **more)


GOOD = made(row("a", "train", "k1"), row("b", "test", "k2"))


def rules(found):
    return [i.rule for i in found.issues]


def test_a_good_split_passes():
    found = audit([seen(GOOD, {"k1": "x", "k2": "y"})], engine=ENGINE, notes=["read"])
    assert (found.passed, found.issues, found.splits, found.notes) == (True, (), ("mine",), ("read",))


def test_a_subject_in_two_partitions_fails_and_is_named():
    found = audit([seen(made(*GOOD.rows, row("a", "test", "k3")))], engine=ENGINE)
    assert not found.passed
    (issue,) = (i for i in found.issues if i.rule == "split/subject-in-two-partitions")
    assert (issue.measured, issue.source) == ("1", "a in test and train")


def test_equal_images_in_two_partitions_fail_under_whatever_names():
    found = audit([seen(GOOD, {"k1": "x", "k2": "x"})], engine=ENGINE)
    assert not found.passed
    (issue,) = found.issues
    assert (issue.rule, issue.measured, issue.target) == (
        "split/same-pixels",
        "a in train, b in test",
        "mine",
    )


def test_equal_images_of_two_subjects_side_by_side_are_noted():
    split = made(*GOOD.rows, row("c", "train", "k3"))
    found = audit([seen(split, {"k1": "x", "k2": "y", "k3": "x"})], engine=ENGINE)
    assert found.passed
    assert rules(found) == ["split/same-pixels"]


def test_equal_images_of_one_subject_are_no_matter():
    split = made(row("a", "train", "k1", "k3"), GOOD.rows[1])
    assert audit([seen(split, {"k1": "x", "k3": "x"})], engine=ENGINE).issues == ()


def test_images_that_are_alike_fail_and_are_listed():
    pair = Pair(a="k1", b="k2", score=0.97, kind="mirrored")
    found = audit([seen(GOOD, twins=(pair,))], engine=ENGINE)
    assert rules(found) == ["split/mirrored-or-cropped-twin"]
    assert (found.pairs, found.passed) == ((pair,), False)


def test_folds_are_judged_one_by_one():
    other = made(row("b", "train", "k2"), row("a", "test", "k1"), name="other")
    found = audit([seen(GOOD), seen(other)], engine=ENGINE)
    assert found.passed
    assert found.splits == ("mine", "other")


def test_the_tables_hold_every_split():
    split = made(row("a", "train", "k1", labels=("t",), site="s"), row("b", "test", labels=("t",)))
    out = AuditedImage(id="k9", subject="b", partition="test", left_out="geometry/missing-slices")
    found = audit([seen(split), replace(seen(split), images=(*seen(split).images, out))], engine=ENGINE)
    assert [(p.partition, p.positive) for p in found.table] == [("train", 1), ("test", 1)] * 2
    assert [(c.partition, c.subjects, c.sites, c.images, c.left_out) for c in found.counts] == [
        ("train", 1, 1, 1, 0),
        ("test", 1, 0, 0, 0),
        ("train", 1, 1, 1, 0),
        ("test", 1, 0, 0, 1),
    ]


def test_the_absent_are_left_alone():
    absent = SplitRow(subject="gone", partition="val", is_present=False)
    assert audit([seen(made(*GOOD.rows, absent))], engine=ENGINE).passed
