"""The ledger of an exported folder: which files are whole, of which case, so that an export goes on where it was stopped."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from isocenter.base.errors import ConfigError, RunError
from isocenter.base.files import write_text

NAME = ".isocenter-export.jsonl"
_FORM = 1
DOCUMENTS = ""
"""The record of what belongs to no case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One file that is whole; `name` is relative to the folder."""

    name: str
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The files of one case, and the digest of all that they were made from."""

    case: str
    key: str
    files: tuple[Written, ...]


class Ledger:
    """What was written into a folder. Use `ledger_of`.

    Args:
        folder: The folder.
        entries: What it holds by case.
    """

    def __init__(self, folder: Path, entries: dict[str, Entry]) -> None:
        self._folder = folder
        self.entries = entries

    def has(self, case: str, key: str) -> bool:
        """Whether all files of a case are there, made from the same."""
        entry = self.entries.get(case)
        return entry is not None and entry.key == key and all(map(self._is_there, entry.files))

    def add(self, entry: Entry) -> None:
        """Take down that the files of a case are whole; what else it had is taken away."""
        self._drop_files(self.entries.get(entry.case), kept={f.name for f in entry.files})
        self.entries[entry.case] = entry
        with (self._folder / NAME).open("a", encoding="ascii") as file:
            file.write(_line(entry))

    def drop(self, case: str) -> None:
        """Take the files of a case away, as far as no other one has them by now."""
        others = {f.name for c, e in self.entries.items() if c != case for f in e.files}
        self._drop_files(self.entries.pop(case, None), kept=others)

    def settle(self) -> None:
        """Write the ledger anew, each case once and in order."""
        lines = [_line(self.entries[c]) for c in sorted(self.entries)]
        write_text(self._folder / NAME, _head() + "".join(lines))

    def _drop_files(self, entry: Entry | None, kept: set[str]) -> None:
        for file in entry.files if entry else ():
            if file.name not in kept:
                (self._folder / file.name).unlink(missing_ok=True)
                for parent in (self._folder / file.name).parents:
                    if parent == self._folder or not parent.is_dir() or any(parent.iterdir()):
                        break
                    parent.rmdir()

    def _is_there(self, file: Written) -> bool:
        path = self._folder / file.name
        return path.is_file() and path.stat().st_size == file.bytes


@contextmanager
def ledger_of(folder: Path) -> Iterator[Ledger]:
    """Hold a folder to export into; nobody else exports into it meanwhile.

    Raises:
        ConfigError: it holds files, and none of them is of an export.
        RunError: another export is writing into it.
    """
    path = folder / NAME
    if folder.is_dir() and any(folder.iterdir()) and not path.is_file():
        raise ConfigError(
            f"the folder {folder.name} is not empty, and holds no export of ours: choose another one"
        )
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                "another export is writing into this folder; wait for it or choose another one"
            ) from None
        for leftover in folder.rglob(".*.tmp-*"):
            leftover.unlink(missing_ok=True)
        ledger = Ledger(folder, dict(_entries(path)))
        ledger.settle()
        yield ledger
    finally:
        os.close(lock)


def _head() -> str:
    return json.dumps({"isocenter-export": _FORM}) + "\n"


def _line(entry: Entry) -> str:
    return json.dumps(asdict(entry), sort_keys=True) + "\n"


def _entries(path: Path) -> Iterable[tuple[str, Entry]]:
    """The records, the last of each case; what a kill left of a line is no record."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    for line in lines:
        try:
            found: dict[str, Any] = json.loads(line)
            files = tuple(Written(**f) for f in found["files"])
            entry = Entry(case=found["case"], key=found["key"], files=files)
        except (ValueError, KeyError, TypeError):
            continue
        if all(_is_inside(f.name) for f in files):
            yield entry.case, entry


def _is_inside(name: str) -> bool:
    """Whether a name is that of a file below the folder: whatever the ledger says, nothing else is taken away."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts
