"""The file that a header without voxels names: a regular one in the header's own folder, or it is refused."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import opening


def beside(header: Path, name: str) -> Path:
    """Where a header says that its voxels are; a path, even one to a folder below, is not followed.

    Raises:
        FormatError: the name is none, leads elsewhere, or is the header's own.
    """
    plain = name.removeprefix("./")
    if plain in {".", ".."} or any(sign in plain for sign in "/\\\0"):
        raise FormatError("file/outside", "the header names a data file outside its own folder")
    if plain in {"", header.name}:
        raise FormatError("file/corrupt", "the header names no data file")
    return header.with_name(plain)


@contextmanager
def opening_beside(header: Path, name: str, expected: Signature | None = None) -> Iterator[BinaryIO]:
    """Open the data file that a header names.

    Args:
        header: The header.
        name: What it says.
        expected: What the header was when it was indexed, with what was beside it then.

    Raises:
        FormatError: `file/outside` for what is no regular file, `file/truncated` for one that is not there,
            `file/changed` for another one than was indexed.
    """
    path = beside(header, name)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(opening(path, expected and expected.beside))
        except FormatError as error:
            raise (_why(path) if error.reason == "file/unreadable" else error) from None
        yield file


def _why(path: Path) -> FormatError:
    """Why a data file cannot be opened."""
    try:
        is_regular = stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return FormatError("file/truncated", "the data file that the header names is not there")
    if is_regular:
        return FormatError("file/unreadable", "the data file that the header names cannot be opened")
    return FormatError("file/outside", "the data file that the header names is no regular file")


def find_beside(header: Path, names: Sequence[str]) -> str:
    """The one of some names that a data file beside a header goes by.

    Raises:
        FormatError: there is none, or there are two and nothing says which.
    """
    found, errors = [], []
    for name in names:
        try:
            with opening_beside(header, name):
                found.append(name)
        except FormatError as error:
            errors.append(error)
    if len(found) > 1:
        raise FormatError("file/corrupt", "two files may hold the voxels", measured=len(found), expected=1)
    if not found:
        raise next((e for e in errors if e.reason != "file/truncated"), errors[0])
    return found[0]
