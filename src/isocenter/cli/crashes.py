"""Leaves a record of a bug in the workspace's log: types, functions and line numbers only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from isocenter.base.errors import IsocenterError
from isocenter.base.log import Log


@contextmanager
def crash_logged(workspace: Path) -> Iterator[None]:
    """Log what is a bug while the block runs; it goes on to the exit code as it is."""
    try:
        yield
    except (IsocenterError, typer.Exit, OSError):
        raise
    except Exception as error:
        if workspace.is_dir():
            Log(workspace / "log.jsonl").crash(error)
        raise
