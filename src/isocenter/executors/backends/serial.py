"""Runs every item in this process, one after the other: for tests, debuggers and small cohorts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from isocenter.base.errors import ConfigError
from isocenter.base.outcome import Outcome
from isocenter.executors.work import attempt

Item = TypeVar("Item")
Result = TypeVar("Result")


def map(  # noqa: A001 - the promise's own name
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int,
) -> Iterator[Outcome[Result]]:
    """Run a function over the items in their order; each is run when its outcome is asked for.

    Raises:
        ConfigError: `jobs` is below 1.
    """
    if jobs < 1:
        raise ConfigError("jobs must be at least 1")
    for item in items:
        yield attempt(function, item)
