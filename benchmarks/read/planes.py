"""Lists of where the pixels of a series are: path, offset and length of each file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Plane = tuple[str, int, int]
Planes = Sequence[Plane]


def planes_in(listed: Path) -> Planes:
    """The planes that a list names."""
    rows = (line.split("\t") for line in listed.read_text(encoding="utf-8").splitlines())
    return [(path, int(offset), int(length)) for path, offset, length in rows]


def list_planes(listed: Path, planes: Planes) -> Path:
    """Write a list of planes."""
    listed.write_text("".join(f"{p}\t{offset}\t{length}\n" for p, offset, length in planes), encoding="utf-8")
    return listed
