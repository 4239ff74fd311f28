"""Skips: samples that could not be read and another one took their place: counted, told, and not many."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from isocenter.loading.shared import SharedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """One sample whose place was taken by another: which, of what case, and why."""

    epoch: int
    index: int
    case: str
    reason: str


class Skips:
    """What all processes of one data set have skipped.

    Each notes what it skips in one file, a line at a time, which the system never mixes.

    Args:
        most: Of so many cases samples may be skipped.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._file = SharedFile()

    def add(self, skip: Skip) -> bool:
        """Note a skip; False where it is one case too many."""
        line = json.dumps(asdict(skip)) + "\n"
        descriptor = os.open(self._file.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
        return len({s.case for s in self.all()}) <= self.most

    def all(self) -> tuple[Skip, ...]:
        """Everything that was skipped so far, by epoch and index, each once."""
        lines = self._file.path.read_text(encoding="utf-8").splitlines()
        found = {Skip(**json.loads(line)) for line in lines}
        return tuple(sorted(found, key=lambda s: (s.epoch, s.index, s.case)))
