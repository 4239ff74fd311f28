"""A journal: JSON lines to which one is only ever added, each signed together with the one before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isocenter.base.errors import ConfigError
from isocenter.base.files import write_bytes
from isocenter.base.pseudonyms import Pseudonyms

_SIGNATURE = "signature"


class Journal:
    """Signed records in a file, in the order in which they were written.

    A signature covers its record and the signature before it, so that a line that was changed, moved or taken out of
    the middle is seen. That the last lines are missing cannot be seen.

    Args:
        path: The file; it is made when the first record is added.
        names: The key of the workspace.
    """

    def __init__(self, path: Path, names: Pseudonyms) -> None:
        self._path = path
        self._names = names

    def add(self, record: Mapping[str, Any]) -> None:
        """Add one record: the file has it whole, or not at all; whoever calls holds the workspace's lock."""
        _, last = self._read()
        line = _text({**record, _SIGNATURE: self._sign(last, record)})
        before = self._bytes()
        gap = b"\n" if before and not before.endswith(b"\n") else b""
        write_bytes(self._path, before + gap + f"{line}\n".encode("ascii"))

    def records(self) -> list[dict[str, Any]]:
        """All records, the oldest first.

        Raises:
            ConfigError: a line is no record, or is not as it was signed.
        """
        return self._read()[0]

    def _read(self) -> tuple[list[dict[str, Any]], str]:
        """The records and the last signature."""
        name, last = self._path.name, ""
        out = []
        *lines, rest = self._bytes().split(b"\n")
        for number, line in enumerate([*lines, rest] if rest else lines, start=1):
            try:
                record = json.loads(line)
                signature = record.pop(_SIGNATURE)
            except (ValueError, AttributeError, KeyError, TypeError):
                raise ConfigError(f"{name}, line {number} is no record") from None
            if signature != self._sign(last, record):
                raise ConfigError(
                    f"{name}, line {number} is not as it was written: a line was changed, moved or taken out, or it is "
                    "of a workspace with another key"
                )
            last = signature
            out.append(record)
        return out, last

    def _bytes(self) -> bytes:
        return self._path.read_bytes() if self._path.exists() else b""

    def _sign(self, last: str, record: Mapping[str, Any]) -> str:
        return self._names.of("signed", last, _text(record))


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, ensure_ascii=True)
