"""Addresses of members: `archive.zip!/folder/file`, taken apart and opened like any path."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from isocenter.base.archives.archive import find_member, open_member
from isocenter.base.archives.catalogue import Member
from isocenter.base.errors import FormatError
from isocenter.base.regular import open_regular

MARK = "!/"


def address_of(archive: str, name: str) -> str:
    """The address of a member of an archive."""
    return f"{archive}{MARK}{name}"


def split_address(path: Path) -> tuple[Path, str] | None:
    """Archive and member of an address; None where a path is just a path.

    The first `!/` with a regular file in front decides, unless something has the name of that file and a `!`:
    then the path says what it says.
    """
    text = str(path)
    at = text.find(MARK)
    while at >= 0:
        archive = text[:at]
        if _is_regular(archive) and not os.path.lexists(f"{archive}!"):
            return Path(archive), text[at + len(MARK) :]
        at = text.find(MARK, at + 1)
    return None


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file, or a member of an archive by its address.

    Raises:
        OSError: the file is not there, or is no regular one.
        FormatError: the member cannot be read; at the end too, if what was read of it is not what was stored.
    """
    address = split_address(path)
    if address is None:
        with open_regular(path) as file:
            yield file
    else:
        with open_member(*address) as file:
            yield file


def member_at(path: Path) -> Member | None:
    """The member that an address names; None where the path is no address.

    Raises:
        OSError: there is no such member, or its archive cannot be read.
    """
    address = split_address(path)
    if address is None:
        return None
    try:
        return find_member(*address)
    except FormatError as error:
        raise OSError(error.message) from None
