"""Progress as a callback: stages report, whoever likes may draw."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """How far a stage has come."""

    stage: str
    done: int
    total: int | None
    unit: str
    seconds: float

    @property
    def rate(self) -> float:
        """Items per second so far."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """Seconds to go at the rate so far; None where the total or the rate is unknown."""
        if self.total is None or not self.rate:
            return None
        return (self.total - self.done) / self.rate


Progress: TypeAlias = Callable[[Step], None]


def silent(_step: Step) -> None:
    """Draw nothing."""


def follow(
    items: Iterable[T], progress: Progress, *, stage: str, total: int | None, unit: str
) -> Iterator[T]:
    """Pass items through and report after each one."""
    start = time.monotonic()
    progress(Step(stage, 0, total, unit, 0.0))
    for done, item in enumerate(items, start=1):
        yield item
        progress(Step(stage, done, total, unit, time.monotonic() - start))
