from dataclasses import replace

import pytest

from isocenter.model.decision import seen_in, unsettled
from isocenter.model.issue import Issue, Severity

DICE = Issue(rule="annotation/low-agreement", message="heart", measured="0.610", severity=Severity.REVIEW)
NOTE = replace(DICE, severity=Severity.NOTE)
REJECTED = replace(DICE, severity=Severity.REJECT)


def test_only_what_is_for_review_is_seen():
    assert seen_in([NOTE, REJECTED]) == ()
    assert len(seen_in([DICE, DICE, replace(DICE, target="another case")])) == 1


def test_what_was_seen_is_settled():
    assert unsettled([DICE, NOTE], seen_in([DICE])) == [NOTE]


@pytest.mark.parametrize(
    "change", [{"measured": "0.609"}, {"rule": "x/y"}, {"message": "lesion"}, {"expected": "0.8"}]
)
def test_what_has_changed_is_not(change):
    other = replace(DICE, **change)
    assert unsettled([DICE, other], seen_in([DICE])) == [other]


def test_nothing_settles_a_rejection():
    assert unsettled([REJECTED], seen_in([DICE])) == [REJECTED]
