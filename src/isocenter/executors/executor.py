"""The promise of an executor: run one function over many items, somewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from isocenter.base.outcome import Outcome
from isocenter.base.plugins import Plugins

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Where work runs.

    Contract:
        * Outcomes come in the order of the items, whatever finished first.
        * An exception in one item becomes the failure of that item; the others go on.
        * A worker that dies takes only its own item with it (`Failure.kind == "WorkerDied"`).
        * `KeyboardInterrupt` stops everything and leaves no worker behind.
    """

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, jobs: int
    ) -> Iterator[Outcome[Result]]:
        """Run a picklable function over the items with at most `jobs` at once."""


EXECUTORS: Plugins[Executor] = Plugins("isocenter.executors.backends")
