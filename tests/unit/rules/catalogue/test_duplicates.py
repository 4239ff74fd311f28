"""One place imaged twice."""

from itertools import accumulate

import pytest

from isocenter.rules.catalogue.duplicates.interleaved_acquisitions import interleaved_acquisitions
from isocenter.testing.rules import a_stack, issues_of


@pytest.mark.parametrize(
    ("gaps", "caught"),
    [
        ([1.1, 1.4] * 5, True),
        ([1.1, 1.4, 1.1, 1.4, 1.1], True),
        ([1.1, 1.4, 1.1, 1.4], False),  # too few to be a pattern
        ([2.5] * 10, False),
        ([2.5, 2.51] * 5, False),  # rounding
        ([4.0] * 10 + [7.0] * 10, False),
        ([1.1, 1.4] * 5 + [2.5], False),
        ([0.0, 2.5] * 5, False),  # repeated positions
    ],
)
def test_two_acquisitions_within_each_other(gaps: list[float], caught: bool) -> None:
    stack = a_stack(positions_mm=tuple(accumulate(gaps, initial=0.0)))
    assert bool(issues_of(interleaved_acquisitions, stack)) == caught
