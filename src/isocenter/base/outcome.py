"""Success or failure of one piece of work, as a value that can travel between processes."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, without values from the data: exception type, and where in our code."""

    kind: str
    where: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The result of one item: a value, or a failure."""

    value: T | None = None
    failure: Failure | None = None


def failure_of(error: BaseException, message: str = "") -> Failure:
    """A failure that names the exception's type and the lines it came through, never its text or a path."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " > ".join(f"{Path(f.filename).stem}.{f.name}:{f.lineno}" for f in frames[-6:])
    return Failure(type(error).__name__, where, message)
