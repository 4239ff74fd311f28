"""File systems: whether a folder lies on another machine, where memory maps and locks do not hold."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")

# Kinds that Linux names in its table of mounts; what runs in user space (fuse) may be anything, most often far away.
_REMOTE = re.compile(
    r"nfs\d*|cifs|smb\d*|smbfs|afs|9p|lustre|gpfs|beegfs|ceph|glusterfs|orangefs|pvfs2|panfs|ncpfs|virtiofs|vboxsf"
    r"|fuse(\..+)?|fuseblk"
)
_ESCAPE = re.compile(r"\\([0-7]{3})")


def kind_of(folder: Path, mounts: Path = _MOUNTS) -> str:
    """Kind of the file system that a folder lies on, e.g. "ext4"; "" where the machine does not tell."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    place = folder.resolve()
    found, kind = -1, ""
    for line in lines:
        fields, _, rest = line.partition(" - ")
        point = Path(_ESCAPE.sub(lambda m: chr(int(m[1], 8)), fields.split(" ")[4]))
        # of mounts at one place the last lies on top
        if place.is_relative_to(point) and len(point.parts) >= found:
            found, kind = len(point.parts), rest.split(" ")[0]
    return kind


def is_remote(kind: str) -> bool:
    """Whether a kind of file system keeps its files on another machine, or may."""
    return _REMOTE.fullmatch(kind) is not None
