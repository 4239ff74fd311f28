"""Forecast: how much disk the build may need, told before it begins."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from isocenter.base import tables
from isocenter.model.rows import PlannedCase
from isocenter.pipeline.stages import Context

# Lossless compression of CT reaches 3 to 5; a disk that could not even hold a tenth cannot hold the store.
_BEST_COMPRESSION = 10


@dataclass(frozen=True, slots=True)
class Forecast:
    """Cases to build, their bytes before compression, and the bytes that are free."""

    cases: int
    most_bytes: int
    free_bytes: int

    @property
    def is_hopeless(self) -> bool:
        """Whether no compression could make the store fit."""
        return self.most_bytes / _BEST_COMPRESSION > self.free_bytes

    def lines(self) -> tuple[str, ...]:
        """The forecast as sentences."""
        most, free = size_text(self.most_bytes), size_text(self.free_bytes)
        told = f"Forecast: {self.cases} cases, at most {most} packed; {free} are free."
        if self.most_bytes <= self.free_bytes:
            return (told,)
        return (told, "That may be more than the disk holds: free some space, or choose another workspace.")


def forecast_of(context: Context) -> Forecast:
    """What the plan of the enrol stage comes to."""
    path = context.workspace.table("enrol", "cases")
    cases = [c for c in tables.read(path, PlannedCase) if c.is_to_build]
    free = shutil.disk_usage(context.workspace.root).free
    return Forecast(len(cases), sum(c.bytes_estimated for c in cases), free)


def size_text(count: int) -> str:
    """A number of bytes as a person reads it: 17.7 MiB."""
    size = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
