"""Where work runs, as the config says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorOptions:
    """Where work runs; the result does not depend on it."""

    kind: Annotated[str, "serial or processes"] = "processes"
    jobs: Annotated[int | None, "how many at once; empty: one per core"] = None

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise ValueError("jobs must be at least 1")
