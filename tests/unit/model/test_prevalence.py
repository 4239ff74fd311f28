"""Prevalences, and their intervals against published and independent values."""

import pytest
from scipy.stats import binomtest

from isocenter.model.prevalence import prevalences_of, wilson_interval
from isocenter.model.split import Split, SplitRow


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_those_of_newcombe_1998(part, whole, low, high):
    """Statistics in Medicine 17:857, table I, method 3."""
    assert wilson_interval(part, whole) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("whole", [1, 2, 7, 40, 1000])
def test_intervals_are_those_of_scipy(whole):
    for part in {0, 1, whole // 2, whole}:
        theirs = binomtest(part, whole).proportion_ci(method="wilson")
        assert wilson_interval(part, whole) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_nothing_is_known_of_nobody():
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_every_label_is_counted_in_every_partition():
    rows = (
        SplitRow(subject="a", partition="train", labels=("x", "y")),
        SplitRow(subject="b", partition="train"),
        SplitRow(subject="c", partition="test", labels=("x",)),
        SplitRow(subject="gone", partition="test", labels=("x",), is_present=False),
    )
    fractions = {"train": 0.6, "val": 0.2, "test": 0.2}
    found = prevalences_of(Split(strategy="s", seed=0, fractions=fractions, rows=rows, id="mine"))
    assert [(p.label, p.partition, p.positive, p.subjects, p.share) for p in found] == [
        ("x", "train", 1, 2, 0.5),
        ("x", "val", 0, 0, None),
        ("x", "test", 1, 1, 1.0),
        ("y", "train", 1, 2, 0.5),
        ("y", "val", 0, 0, None),
        ("y", "test", 0, 1, 0.0),
    ]
    assert found[0].difference == pytest.approx(0.5 - 2 / 3)
    assert found[1].difference is None
    assert {p.split for p in found} == {"mine"}


def test_an_empty_split_has_no_prevalence():
    assert prevalences_of(Split(strategy="s", seed=0, fractions={}, rows=())) == []
