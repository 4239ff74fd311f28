"""What a file is when it is no image: told from its first bytes."""

from __future__ import annotations

import re

_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"GIF8", "gif"),
    (b"%PDF", "pdf"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"\x7fELF", "executable"),
    (b"MZ", "executable"),
    (b"\x00\x00\x00\x01Bud1", "folder-settings"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"ObjectType =", "metaimage"),
    (b"NDims =", "metaimage"),
)
_TEXT = re.compile(rb"[\x09\x0a\x0c\x0d\x20-\x7e\x80-\xff]*")
_SLICER = (b"# Markups fiducial file", b"# Name =")


def kind_of(head: bytes) -> str:
    """One word for a file that begins with these bytes: "pdf", "table", "json", "text", "unknown", ..."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[257:262] == b"ustar":
        return "tar"
    if not _TEXT.fullmatch(head):
        return "unknown"
    return _kind_of_text(head)


def _kind_of_text(head: bytes) -> str:
    body = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:1] in {b"{", b"["}:
        return "json"
    if body.startswith(b"<"):
        return "markup"
    if body.startswith(_SLICER):
        return "slicer-markups"
    lines = [line for line in body.splitlines()[:-1] if line and not line.startswith(b"#")][:8]
    for separator in (b"\t", b",", b";"):
        counts = {line.count(separator) for line in lines}
        if len(lines) > 1 and counts and min(counts) > 0 and len(counts) == 1:
            return "table"
    return "text"
