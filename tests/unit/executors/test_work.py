"""One item's work becomes a value or a failure, and only a person's interrupt passes through."""

import pytest

from isocenter.base.errors import StoreCorrupt
from isocenter.base.outcome import Outcome
from isocenter.executors.work import attempt, failed


def test_what_is_returned_is_the_value():
    assert attempt(len, "abc") == Outcome(value=3)


@pytest.mark.parametrize("error", [ValueError("a name"), MemoryError(), RecursionError(), SystemExit(3)])
def test_what_is_raised_is_the_failure_without_its_text(error):
    def function(_item):
        raise error

    outcome = attempt(function, 1)
    assert outcome.value is None
    assert (outcome.failure.kind, outcome.failure.message) == (type(error).__name__, "")
    assert "test_work.function" in outcome.failure.where


def test_an_interrupt_passes_through():
    def function(_item):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(function, 1)


def test_our_own_errors_keep_their_text():
    assert failed(StoreCorrupt("shard 3 was changed")).failure.message == "shard 3 was changed"
