"""The hostile corpus for the index: what each file is, and what must become of it; made at test time, from a seed.

The numbers are those of the specification of the corpus (files 1-111); where a number has several files, the name
tells them apart. `cases` lists them without making them; `make` writes them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Make = Callable[[Path], None]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One entry of the account.

    Args:
        id: Number in the specification and a name.
        path: Where it is, below the folder of the corpus; "a.zip!/b" is a member of an archive.
        expected: The reasons ("file/limit") or kinds ("dicom-image") of which it must have one.
        make: Writes it; None where another case does.
        unparsable: Attributes that must be named as unparsable, where it is accepted.
        values: Fields that its instance must have, where it is accepted.
        is_large: Large or slow: made where all are asked for.
    """

    id: str
    path: str
    expected: tuple[str, ...]
    make: Make | None
    unparsable: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    is_large: bool = False


def case(
    name: str,
    content: bytes | Callable[[], bytes] | None,
    expected: str,
    *,
    path: str = "",
    is_large: bool = False,
    unparsable: str = "",
    **values: Any,
) -> Case:
    """A case that is one file; `expected` and `unparsable` are words, any and all of which are meant."""

    def write(place: Path) -> None:
        place.write_bytes(content() if callable(content) else content or b"")

    return Case(
        id=name,
        path=path or f"{name}.dcm",
        expected=tuple(expected.split()),
        make=None if content is None else write,
        unparsable=tuple(unparsable.split()),
        values=values,
        is_large=is_large,
    )


def number_of(name: str) -> int:
    """A number that belongs to a name alone: what UIDs are made of, so that no two cases meet."""
    return zlib.crc32(name.encode())


def make(folder: Path, cases: list[Case]) -> None:
    """Write the corpus below a folder."""
    for one in cases:
        if one.make is not None:
            place = folder / one.path
            make_folders(place.parent)
            one.make(place)


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, as deep as they may be."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir()
