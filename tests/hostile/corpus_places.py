"""Hostile archives, names, links and special files for the index (101-111)."""

from __future__ import annotations

import io
import os
import socket
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hostile.corpus import Case, case
from tests.hostile.corpus_dicom import ct, sparse

IMAGE = "dicom-image"
OUTSIDE, BROKEN, CUT, LIMIT, LARGE = (
    "file/outside",
    "file/corrupt",
    "file/truncated",
    "file/limit",
    "file/too-large",
)
ENCRYPTED, UNSUPPORTED = "file/encrypted", "file/unsupported"

# A17: names as bytes. Two pairs are one name to some file systems or tables.
NAMES: dict[str, bytes] = {
    "newline": b"new\nline.dcm",
    "quote": b"it's.dcm",
    "double-quote": b'say "x".dcm',
    "dash": b"-rf",
    "latin-1": b"caf\xe9.dcm",
    "no-text": b"\xff\xfe\xfd",
    "right-to-left": "\u202efdp.mcd".encode(),
    "255": b"x" * 251 + b".dcm",
    "upper": b"CASE.DCM",
    "lower": b"case.dcm",
    "emoji": "\U0001fac0.dcm".encode(),
    "tab": b"a\tb",
    "return": b"a\rb",
    "escape": b"\x1b[2J.dcm",
    "space": b"end ",
    "dot": b"end.",
    "hidden": b".hidden",
    "backslash": b"a\\b.dcm",
    "format": b"%s%n{subject}.dcm",
    "shell": b"$(touch pwn);`id`.dcm",
    "glob": b"*[a]?.dcm",
    "composed": "\u00e9.dcm".encode(),
    "decomposed": "e\u0301.dcm".encode(),
    "as-escaped": b"caf\\udce9.dcm",
}


def zipped(members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive with these names, whatever they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, how
            archive.writestr(info, data)
    return out.getvalue()


def tarred(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A tar archive of these members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    out = tarfile.TarInfo(name)
    out.type, out.linkname = kind, target
    return out


def zip_link() -> bytes:
    """A zip archive with a symbolic link (by its Unix mode) to a file outside."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("link.dcm")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "../../outside/canary.dcm")
        archive.writestr("good.dcm", ct("102-zip"))
    return out.getvalue()


def encrypted() -> bytes:
    """A zip archive that says its one member is encrypted."""
    data = bytearray(zipped({"x.dcm": ct("104-encrypted")}))
    data[6] |= 1
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


def lying_size(said: int) -> bytes:
    """A zip archive whose one member is larger than the directory says."""
    data = bytearray(zipped({"x.dcm": ct("103-lie") + bytes(4 << 20)}))
    at = data.index(b"PK\x01\x02")
    for place in (22, at + 24):
        data[place : place + 4] = struct.pack("<I", said)
    return bytes(data)


def overlapped(count: int) -> bytes:
    """A zip archive of many names for the same bytes."""
    one = zipped({"00000000": ct("103-over") + bytes(1 << 20)})
    start = one.index(b"PK\x01\x02")
    end = one.index(b"PK\x05\x06")
    entry = one[start:end]
    entries = b"".join(entry.replace(b"00000000", b"%08d" % n) for n in range(count))
    tail = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, len(entries), start, 0
    )
    return one[:start] + entries + tail


def russian_dolls(depth: int) -> bytes:
    data = ct("103-doll")
    name = "x.dcm"
    for _ in range(depth):
        data, name = zipped({name: data}), "x.zip"
    return data


def wrong_check_sum() -> bytes:
    data = bytearray(zipped({"x.dcm": ct("104-crc")}, zipfile.ZIP_STORED))
    data[-300] ^= 1
    at = data.index(b"PK\x01\x02")
    for place in (14, at + 16):
        data[place] ^= 0xFF
    return bytes(data)


def archive_cases() -> list[Case]:
    """101-104; what is expected holds for the archive or one of its members."""
    slips = [
        "../slip.dcm",
        "/slip.dcm",
        "C:\\slip.dcm",
        "..\\slip.dcm",
        "a/../../slip.dcm",
        "\\\\host\\slip.dcm",
    ]
    slip_zip = zipped({name: ct(f"101-{n}") for n, name in enumerate(slips)} | {"good.dcm": ct("101-good")})
    slip_tar = tarred([(member(name), ct(f"101-tar-{n}")) for n, name in enumerate(slips)])
    canary = "../../outside/canary.dcm"
    special = tarred(
        [
            (member("link.dcm", tarfile.SYMTYPE, canary), b""),
            (member("hard.dcm", tarfile.LNKTYPE, canary), b""),
            (member("device.dcm", tarfile.CHRTYPE), b""),
            (member("pipe.dcm", tarfile.FIFOTYPE), b""),
            (member("good.dcm"), ct("102-tar")),
        ]
    )
    good = {f"{n}.dcm": ct(f"104-good-{n}") for n in range(3)}
    twice = tarred([(member("x.dcm"), ct("104-x")), (member("x.dcm"), ct("104-y"))])

    def one(name: str, data: Any, expected: str, suffix: str = "zip", **how: Any) -> Case:
        return case(name, data, expected, path=f"{name}.{suffix}", **how)

    return [
        one("101-slip-zip", slip_zip, IMAGE),
        one("101-slip-tar", slip_tar, IMAGE, "tar"),
        one("102-link-zip", zip_link(), f"symlink {UNSUPPORTED} {OUTSIDE}"),
        one("102-special-tar", special, f"symlink {UNSUPPORTED} {OUTSIDE}", "tar"),
        one("103-overlapped", overlapped(20_000), f"{LIMIT} {BROKEN} {LARGE}"),
        one("103-lying-size", lying_size(100), f"{BROKEN} {LARGE} {LIMIT} {CUT}"),
        one("103-lying-size-huge", lying_size(0xFFFFFFF0), f"{BROKEN} {LARGE} {LIMIT} {CUT}"),
        one("103-zip-in-zip", russian_dolls(5), f"zip {LIMIT} {UNSUPPORTED}"),
        one("103-bomb", zip_bomb, f"{IMAGE} {LARGE} {LIMIT}"),
        one("104-encrypted", encrypted(), ENCRYPTED),
        one("104-cut", zipped(good)[:-40], f"{CUT} {BROKEN}"),
        one(
            "104-cut-tar", tarred([(member(n), d) for n, d in good.items()])[:3000], f"{CUT} {BROKEN}", "tar"
        ),
        one("104-check-sum", wrong_check_sum(), BROKEN),
        one("104-one-name-twice-tar", twice, f"{IMAGE} {BROKEN}", "tar"),
        one("104-one-name-twice-zip", zip_twice(), f"{IMAGE} {BROKEN}"),
        one("104-good", zipped(good), IMAGE),
    ]


def zip_twice() -> bytes:
    data = zipped({"x.dcm": ct("104-p"), "y.dcm": ct("104-q")})
    return data.replace(b"y.dcm", b"x.dcm")


def zip_bomb() -> bytes:
    """1 GiB of zeros; written in pieces, so that making it costs no memory."""
    out = io.BytesIO()
    piece = bytes(1 << 20)
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("x.dcm", "w") as file,
    ):
        file.write(ct("103-bomb"))
        for _ in range(256):
            file.write(piece)
    return out.getvalue()


def special(name: str, path: str, make: Callable[[Path], Any], expected: str, **how: Any) -> Case:
    """A case that is no plain file."""
    return Case(id=name, path=path, expected=tuple(expected.split()), make=make, **how)


def link_to(target: str) -> Callable[[Path], None]:
    return lambda place: place.symlink_to(target)


def file_system_cases(outside: Path) -> list[Case]:
    """105-111; `outside` is where the canaries are."""
    gate = "file/unreadable"
    deep = "109-deep/" + "d/" * 1000 + "x.dcm"
    odd = [
        case(f"108-{what}", ct(f"108-{what}"), IMAGE, path=f"names/{os.fsdecode(name)}")
        for what, name in NAMES.items()
    ]
    pair = {"x.dcm": ct("108-bang-member")}
    return [
        special("105-loop-a", "links/a", link_to("b"), "symlink"),
        special("105-loop-b", "links/b", link_to("c"), "symlink"),
        special("105-loop-c", "links/c", link_to("a"), "symlink"),
        special("105-parent", "links/parent", link_to(".."), "symlink"),
        special("105-dangling", "links/dangling.dcm", link_to("nowhere"), "symlink"),
        special("105-outside", "links/outside.dcm", link_to(str(outside / "canary.dcm")), "symlink"),
        special("105-outside-folder", "links/outside", link_to(str(outside)), "symlink"),
        special("105-inside", "links/inside.dcm", link_to("../1-empty.dcm"), "symlink"),
        special("105-archive", "links/linked.zip", link_to(str(outside / "canary.zip")), "symlink"),
        special("106-pipe", "special/pipe.dcm", os.mkfifo, "fifo"),
        special("106-socket", "special/socket.dcm", listen, "socket"),
        special("106-zeros", "special/zero.dcm", link_to("/dev/zero"), "symlink"),
        special("106-random", "special/random.dcm", link_to("/dev/random"), "symlink"),
        special("107-file", "closed/file.dcm", closed_file, gate),
        special("107-folder", "closed/folder", closed_folder, gate),
        *odd,
        case("108-bang-folder", ct("108-bang-folder"), IMAGE, path="names/pair.zip!/x.dcm"),
        # whose members nobody could tell from files of that folder
        case("108-bang-archive", zipped(pair), UNSUPPORTED, path="names/pair.zip"),
        case("109-deep", ct("109-deep"), IMAGE, path=deep),
        special("109-beyond", "109-beyond", beyond_path_max, f"{gate} {IMAGE}"),
        special("109-many", "109-many", many_files, "text unknown", is_large=True),
        special("110-sparse-zeros", "110-zeros.dcm", sparse(b"", 1 << 40), "unknown"),
        special(
            "110-sparse-image",
            "110-image.dcm",
            sparse(ct("110"), 1 << 40),
            f"{IMAGE} {BROKEN} {LARGE} {LIMIT}",
        ),
        case("111-folder", ct("111"), IMAGE, path="111-folder.dcm/x"),
    ]


def listen(place: Path) -> None:
    """A socket; its name may be longer than a socket's address, so it is made elsewhere and moved."""
    here = Path(f"/proc/self/fd/{os.open(place.parent, os.O_RDONLY)}")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(here / place.name))
    os.close(int(here.name))


def closed_file(place: Path) -> None:
    place.write_bytes(ct("107"))
    place.chmod(0)


def closed_folder(place: Path) -> None:
    place.mkdir()
    (place / "x.dcm").write_bytes(ct("107-inside"))
    place.chmod(0)


def beyond_path_max(place: Path) -> None:
    """Folders in folders, until no call takes the whole path any more."""
    place.mkdir()
    here = os.open(place, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("f" * 250, dir_fd=here)
        deeper = os.open("f" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    fd = os.open("x.dcm", os.O_WRONLY | os.O_CREAT, dir_fd=here)
    os.write(fd, ct("109-beyond"))
    os.close(fd)
    os.close(here)


def many_files(place: Path) -> None:
    """100,000 files in one folder."""
    place.mkdir()
    for n in range(100_000):
        fd = os.open(place / f"{n:06}", os.O_WRONLY | os.O_CREAT)
        os.write(fd, b"text\n")
        os.close(fd)
