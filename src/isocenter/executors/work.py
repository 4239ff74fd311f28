"""One item's work: the call that every executor makes, and the failure it becomes when it goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from isocenter.base.errors import IsocenterError
from isocenter.base.outcome import Outcome, failure_of

Item = TypeVar("Item")
Result = TypeVar("Result")


def attempt(function: Callable[[Item], Result], item: Item) -> Outcome[Result]:
    """Call the function; what it raises becomes a failure, save for a person's interrupt.

    `SystemExit` is caught too: a library that calls `sys.exit` on one file must not end the run.
    """
    try:
        return Outcome(value=function(item))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it was, it is this item's failure
        return failed(error)


def failed(error: BaseException) -> Outcome[Result]:
    """The outcome of an item that raised; only our own errors and the system's are known to hold no text from data."""
    if isinstance(error, IsocenterError):
        return Outcome(failure=failure_of(error, str(error)))
    system = error.strerror if isinstance(error, OSError) else None
    return Outcome(failure=failure_of(error, system or ""))
