"""The run's log: JSON lines without identifiers, paths or exception texts."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from isocenter.base.outcome import failure_of


class Log:
    """Appends one JSON record per line to a file.

    Args:
        path: The log file; it is made when the first record is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, event: str, **facts: Any) -> None:
        """Append one record; facts are ours (counts, stage and rule names), never header text."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **facts}, ensure_ascii=True, sort_keys=False)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def crash(self, error: BaseException) -> None:
        """Append where a bug struck: types, functions and line numbers only."""
        failure = failure_of(error)
        self.write("crash", kind=failure.kind, where=failure.where)
