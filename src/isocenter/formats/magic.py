"""Binary files by the bytes they begin with."""

from __future__ import annotations

import re

# What begins with the same byte is tried in this order.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"GIF8", "gif"),
    (b"%PDF", "pdf"),
    (b"%!PS", "postscript"),
    (b"{\\rtf", "rich-text"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office-document"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x93NUMPY", "npy"),
    (b"MATLAB 5.0 MAT-file", "matlab"),
    (b"MATLAB 7.3 MAT-file", "matlab"),
    (b"CDF\x01", "netcdf"),
    (b"CDF\x02", "netcdf"),
    (b"MATRIX7", "ecat"),
    (b"IMGF", "ge-genesis"),
    (b"TRACK\0", "tractography"),
    (b"mrtrix tracks", "tractography"),
    (b"mrtrix image", "mrtrix"),
    (b"\xff\xff\xfe", "mesh"),
    (b"ply\n", "mesh"),
    (b"ply\r\n", "mesh"),
    (b"PAR1", "parquet"),
    (b"ARROW1\0\0", "arrow"),
    (b"SQLite format 3\0", "sqlite"),
    (b"\x7fELF", "executable"),
    (b"MZ", "executable"),
    (b"\xfe\xed\xfa\xce", "executable"),
    (b"\xfe\xed\xfa\xcf", "executable"),
    (b"\xce\xfa\xed\xfe", "executable"),
    (b"\xcf\xfa\xed\xfe", "executable"),
    (b"\xca\xfe\xba\xbe", "executable"),
    (b"\0asm", "executable"),
    (b"#!", "script"),
    (b"L\0\0\0\x01\x14\x02\0", "windows-link"),
    (b"\0\0\0\x01Bud1", "folder-settings"),
    (b"\0\x05\x16\x07", "folder-settings"),
    (b"\0\x05\x16\0", "folder-settings"),
    (b"\x1f\x8b", "gzip"),
    (b"\x1f\x9d", "compressed"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"MSCF\0\0\0\0", "cabinet"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"\x1a\x45\xdf\xa3", "video"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video"),
    (b"\0\0\x01\xba", "video"),
    (b"\0\0\x01\xb3", "video"),
    (b"FLV\x01", "video"),
    (b"OggS", "audio"),
    (b"ID3", "audio"),
    (b"fLaC", "audio"),
    (b"\x80\x02}", "pickle"),
    (b"\x80\x02]", "pickle"),
    (b"\x80\x02c", "pickle"),
    (b"\x80\x03}", "pickle"),
    (b"\x80\x03]", "pickle"),
    (b"\x80\x03c", "pickle"),
    (b"\x80\x04\x95", "pickle"),
    (b"\x80\x05\x95", "pickle"),
)
_BY_BYTE: dict[int, tuple[tuple[bytes, str], ...]] = {
    first: tuple((m, k) for m, k in _MAGIC if m[0] == first) for first in {m[0] for m, _ in _MAGIC}
}
# Their few letters may begin a text.
_NEVER_TEXT = {"audio", "executable", "ge-genesis", "gif", "parquet"}
_RIFF = {b"AVI ": "video", b"WAVE": "audio", b"WEBP": "webp"}
_STILL = {b"heic", b"heix", b"mif1", b"msf1", b"avif"}
_OFFICE = ("[Content_Types].xml", "_rels/", "docProps/", "word/", "xl/", "ppt/")
_OCTAL = re.compile(rb"[ 0-7]{1,7}[\0 ]{1,2}")
_LMDB = b"\xde\xc0\xef\xbe"


_TEXT = bytes((9, 10, 12, 13, *range(32, 127), *range(128, 256)))


def is_text(head: bytes) -> bool:
    """Whether there are no other control characters than those of a text."""
    return not head.translate(None, _TEXT)


def binary_kind(head: bytes) -> str:
    """The kind of a file that begins with these bytes; "" where they are none of those that are known."""
    for magic, kind in _BY_BYTE.get(head[0], ()) if head else ():
        if head.startswith(magic) and not (kind in _NEVER_TEXT and is_text(head)):
            return _REFINED[kind](head) if kind in _REFINED else kind
    if head[4:8] == b"ftyp":
        return "heif" if head[8:12] in _STILL else "video"
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], "")
    if head[257:262] == b"ustar" or _is_old_tar(head):
        return "tar"
    if head[16:20] == _LMDB:
        return "lmdb"
    if head[:2] == b"BM" and _is_bitmap(head):
        return "bmp"
    return "mgh" if head[:4] == b"\0\0\0\x01" and _is_mgh(head) else ""


def _of_zip(head: bytes) -> str:
    """An archive, or a document that is one by its make: told by the name of its first member (APPNOTE 4.3.7)."""
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")].decode("latin-1")
    if name.startswith(_OFFICE) or (name == "mimetype" and b"opendocument" in head[:128]):
        return "office-document"
    if name.endswith(".npy") and "/" not in name:
        return "npz"
    return "pytorch" if name.endswith("/data.pkl") else "zip"


def _of_hdf5(head: bytes) -> str:
    return "minc" if b"minc-2.0" in head else "hdf5"


def _of_netcdf(head: bytes) -> str:
    return "minc" if b"xspace" in head or b"MINC" in head else "netcdf"


def _of_bzip2(head: bytes) -> str:
    return "bzip2" if head[4:10] in {b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"} else ""


_REFINED = {"bzip2": _of_bzip2, "zip": _of_zip, "hdf5": _of_hdf5, "netcdf": _of_netcdf}


def _is_old_tar(head: bytes) -> bool:
    """A tar header of before POSIX: no magic, but the sum of its bytes."""
    if len(head) < 512 or not head[0] or _OCTAL.fullmatch(head[148:156]) is None:
        return False
    stated = int(head[148:156].strip(b"\0 ") or b"0", 8)
    return stated == sum(head[:148]) + sum(head[156:512]) + 8 * 32


def _is_bitmap(head: bytes) -> bool:
    size = int.from_bytes(head[14:18], "little")
    return head[6:10] == bytes(4) and size in {12, 40, 52, 56, 64, 108, 124}


def _is_mgh(head: bytes) -> bool:
    """FreeSurfer's MGH: version 1, four sizes, one of four types, all big-endian."""
    sizes = [int.from_bytes(head[at : at + 4], "big") for at in (4, 8, 12, 16)]
    return all(1 <= n < 100_000 for n in sizes) and int.from_bytes(head[20:24], "big") in {0, 1, 3, 4}
