"""Draws progress on stderr: bars with rate and time to go on a terminal, else a line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from isocenter.base.progress import Progress, Step
from isocenter.cli.console import clean

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def drawn() -> Iterator[Progress]:
    """A progress callback that draws while the block runs."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _Lines(console)
        return
    columns = (TextColumn("{task.description:<8}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Bars(*columns, console=console, transient=True) as bars:
        yield _Bars(bars)


def told(step: Step) -> str:
    """`1,200 of 4,000 files, 300/s, 9 s to go`."""
    of = f" of {step.total:,}" if step.total is not None else ""
    rate = f", {_short(step.rate)}/s" if step.rate else ""
    eta = step.eta_seconds
    left = f", {duration(eta)} to go" if eta and step.done < (step.total or 0) else ""
    return clean(f"{step.done:,}{of} {step.unit}{rate}{left}")


def duration(seconds: float) -> str:
    """A time span as people say it: `9 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


class _Bars:
    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: Step) -> None:
        if step.stage not in self._tasks:
            self._tasks[step.stage] = self._bars.add_task(clean(step.stage), total=step.total, told="")
        self._bars.update(self._tasks[step.stage], completed=step.done, total=step.total, told=told(step))


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = time.monotonic()

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        is_end = step.total is not None and step.done == step.total > 0
        if is_end or now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            self._console.print(f"{clean(step.stage)}: {told(step)}", markup=False, soft_wrap=True)
