"""Files: listing a folder safely, opening only regular files, and writing so that a crash leaves no half file."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from isocenter.base.archives.address import member_at
from isocenter.base.archives.content import MemberFile
from isocenter.base.digests import canonical_json
from isocenter.base.regular import open_regular

__all__ = [
    "Entry",
    "Signature",
    "is_readable",
    "located",
    "open_regular",
    "read_json",
    "signature",
    "signature_of",
    "sync_folder",
    "text_of_json",
    "walk",
    "write_atomically",
    "write_bytes",
    "write_json",
    "write_text",
]

# What `arrow.path_text` writes for a byte that is no UTF-8 (PEP 383), and for a backslash before a "u".
_ESCAPED = re.compile(r"\\u(dc[89a-f][0-9a-f]|005c)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One directory entry below a source folder.

    `path` is relative with forward slashes; `kind` is "file", or why it is not read: "symlink",
    "fifo", "socket", "device", "unreadable".
    """

    path: str
    kind: str
    size: int = 0
    mtime_ns: int = 0
    device: int = 0
    inode: int = 0


@dataclass(frozen=True, slots=True)
class Signature:
    """What tells that a file is still the one that was indexed.

    Args:
        size: Its bytes.
        mtime_ns: When it was last written; of a member of an archive, when the archive was.
        beside: The same of the file beside it that holds its voxels, None where there is none.
    """

    size: int
    mtime_ns: int
    beside: Signature | None = None

    def is_of(self, other: Signature) -> bool:
        """Whether two are of one state of a file, whatever lies beside it."""
        return self.size == other.size and self.mtime_ns == other.mtime_ns


def walk(root: Path) -> Iterator[Entry]:
    """Every entry below a folder that is not itself a folder, sorted; links are listed, never followed."""
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(root / folder) as entries:
                found = sorted(entries, key=lambda e: os.fsencode(e.name))
        except OSError:
            yield Entry(path=folder.rstrip("/") or ".", kind="unreadable")
            continue
        deeper = []
        for item in found:
            path = folder + item.name
            if item.is_dir(follow_symlinks=False):
                deeper.append(f"{path}/")
            else:
                yield _entry(item, path)
        pending.extend(reversed(deeper))


def _entry(item: os.DirEntry[str], path: str) -> Entry:
    try:
        info = item.stat(follow_symlinks=False)
    except OSError:
        return Entry(path=path, kind="unreadable")
    return Entry(
        path=path,
        kind=_kind(info.st_mode),
        size=info.st_size,
        mtime_ns=info.st_mtime_ns,
        device=info.st_dev,
        inode=info.st_ino,
    )


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISLNK(mode):
        return "symlink"
    if stat.S_ISFIFO(mode):
        return "fifo"
    return "socket" if stat.S_ISSOCK(mode) else "device"


def is_readable(path: Path) -> bool:
    """Whether a regular file can be opened, or an archive has a member of that address."""
    try:
        if member_at(path) is not None:
            return True
        with open_regular(path):
            return True
    except OSError:
        return False


def located(root: Path, path: str) -> Path:
    r"""The file that a table names: `\udcff` is a byte that is no UTF-8, `\u005c` a backslash of the name itself."""
    return root / _ESCAPED.sub(lambda m: chr(int(m[1], 16)), path) if "\\u" in path else root / path


def signature(path: Path) -> Signature:
    """What tells that a file has not been changed since it was indexed.

    A member of an archive has its own size, and the time of the archive.
    """
    if (member := member_at(path)) is not None:
        return Signature(member.size, member.mtime_ns)
    info = path.lstat()
    return Signature(info.st_size, info.st_mtime_ns)


def signature_of(file: BinaryIO) -> Signature:
    """The signature of the very file that is open, whatever its name leads to by now."""
    if isinstance(file, MemberFile):
        return Signature(file.size, file.mtime_ns)
    info = os.fstat(file.fileno())
    return Signature(info.st_size, info.st_mtime_ns)


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Make a file under a temporary name beside its place, sync it, then rename it there.

    Args:
        path: The final name; its folder must exist.
        write: Writes the whole content to the path it is given.
    """
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the renames in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file atomically."""
    write_atomically(path, lambda temporary: _write(temporary, data))


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 file atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON with sorted keys, atomically."""
    write_text(path, text_of_json(json.loads(canonical_json(value))))


def text_of_json(plain: Any) -> str:
    """What `write_json` writes of a plain value."""
    return json.dumps(plain, indent=1, sort_keys=True) + "\n"


def read_json(path: Path) -> Any:
    """Read a JSON file of our own."""
    return json.loads(path.read_text(encoding="utf-8"))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
