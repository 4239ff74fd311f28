"""Archives made to harm, mislead or stall a reader: each is refused with its reason, or its members are right."""

import bz2
import gzip
import io
import os
import random
import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import contextmanager

import pytest

from isocenter.base.archives import archive
from isocenter.base.archives.archive import members, open_member
from isocenter.base.errors import FormatError
from isocenter.formats.boundary import opening, parsing
from isocenter.model.reasons import REASONS
from tests.hostile.bounded import bounded, listening

CPU_SECONDS, MEMORY_BYTES = 10, 512 << 20
ZIP_LOCAL, ZIP_ENTRY, ZIP_END = "<4s5H3L2H", "<4s6H3L5H2L", "<4s4H2LH"
TEXT = b"the right bytes " * 64


@pytest.fixture(autouse=True)
def bounds(tmp_path):
    """Every case has ten seconds of processor time and half a GiB, and leaves the disk as it was."""
    archive._KEPT.clear()
    with bounded(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES):
        yield
    assert {p.name for p in tmp_path.rglob("*")} <= {"archive", "canary"}
    archive._KEPT.clear()


@contextmanager
def only_the_archive(path):
    """Nothing but the archive is opened meanwhile."""
    with listening() as opened:
        yield
    assert set(opened) <= {str(path)}


def judge(folder, data, *, limit=1_000_000):
    """What becomes of an archive: its reason, or every member's name with its bytes or its reason."""
    path = folder / "archive"
    if data is not None:
        path.write_bytes(data)
    out = {}
    with only_the_archive(path):
        try:
            for listed in members(path, limit=limit):
                assert listed.member.name not in out
                out[listed.member.name] = _content(path, listed.member.name)
                assert listed.error is None or listed.error.reason == out[listed.member.name]
        except FormatError as error:
            return _known(error)
    return out


def _content(path, name):
    try:
        with open_member(path, name) as file:
            out = b""
            while piece := file.read(1 << 20):
                out = (out + piece)[-(1 << 20) :]  # the end of what is too large to keep
            return out
    except FormatError as error:
        return _known(error)


def _known(error):
    assert error.reason in REASONS
    return error.reason


class Zip:
    """Members as they are written, and the directory as it says they are."""

    def __init__(self):
        self.data, self.entries = bytearray(), []

    def add(self, name, packed=TEXT, **entry):
        """Write a member; without anything else it is a good one that is stored."""
        at = len(self.data)
        method, local = entry.get("method", 0), entry.get("local", {})
        known = {
            "name": name, "place": at, "packed": len(packed), "size": len(packed), "flags": 0, "system": 3,
            "checksum": zlib.crc32(packed), "external": (stat.S_IFREG | 0o644) << 16, "method": method,
        } | {k: v for k, v in entry.items() if k != "local"}  # fmt: skip
        own = {**known, **local}
        self.data += struct.pack(ZIP_LOCAL, b"PK\3\4", 20, own["flags"], own["method"], 0, 0, own["checksum"],
                                 own["packed"] & 0xFFFFFFFF, own["size"] & 0xFFFFFFFF, len(own["name"]), 0)  # fmt: skip
        self.data += own["name"] + packed
        self.entries.append(known)
        return self

    def bytes(self, **end):
        directory = b""
        for e in self.entries:
            wide = b""
            size, packed, place = e["size"], e["packed"], e["place"]
            if size >= 0xFFFFFFFF:
                wide, size = struct.pack("<2HQ", 1, 8, size), 0xFFFFFFFF
            directory += struct.pack(
                ZIP_ENTRY, b"PK\1\2", e["system"] << 8 | 20, 20, e["flags"], e["method"], 0, 0, e["checksum"],
                packed, size, len(e["name"]), len(wide), 0, 0, 0, e["external"], place,
            ) + e["name"] + wide  # fmt: skip
        known = {"count": len(self.entries) & 0xFFFF, "size": len(directory), "at": len(self.data)} | end
        tail = struct.pack(
            ZIP_END, b"PK\5\6", 0, 0, known["count"], known["count"], known["size"], known["at"], 0
        )
        return bytes(self.data) + directory + tail


def deflated(data, level=9):
    stream = zlib.compressobj(level, wbits=-15)
    return stream.compress(data) + stream.flush()


def tar_header(name, size=0, kind=b"0", **fields):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    for key, value in fields.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT)


def tar_file(name, data=TEXT, **fields):
    return tar_header(name, len(data), **fields) + data + bytes(-len(data) % 512)


END = bytes(1024)

# --- names --------------------------------------------------------------------------------------------------

NAMES = {
    b"../../../../tmp/pwned": "(..)/(..)/(..)/(..)/tmp/pwned",
    b"/tmp/pwned": "tmp/pwned",
    rb"C:\pwned": r"C:\pwned",
    rb"..\..\pwned": r"..\..\pwned",
    b"a\0../b": "a(nul)../b",
    b"a\0/../b": "a(nul)/(..)/b",
    b"l\xe4sion\xff": "l\udce4sion\udcff",
    b"a/" * 300 + b"deep": "a/" * 300 + "deep",
    b"n" * 5000: "n" * 5000,
    b"a\nb": "a\nb",
    b"-rf": "-rf",
    "\u202egpj.exe".encode(): "\u202egpj.exe",
    b"x!/y": "x!/y",
    b".": "(no name)",
}


def test_names_of_zip_members_are_labels(tmp_path):
    made = Zip()
    for name in NAMES:
        made.add(name, packed=name, size=len(name))
    assert judge(tmp_path, made.bytes()) == {label: name for name, label in NAMES.items()}


def test_names_of_tar_members_are_labels(tmp_path):
    names = [n for n in NAMES if b"\0" not in n]
    data = b"".join(
        tar_header("././@LongLink", len(n), b"L") + n + bytes(-len(n) % 512) + tar_file("short", n)
        for n in names
    )
    assert judge(tmp_path, data + END) == {NAMES[n]: n for n in names}


def test_one_name_many_times(tmp_path):
    made = Zip()
    for n in range(20_000):
        made.add(b"same", packed=b"%d" % n)
    found = judge(tmp_path, made.bytes())
    assert len(found) == 20_000
    assert list(found.items())[:2] == [("same", b"0"), ("same#2", b"1")]


# --- links and devices --------------------------------------------------------------------------------------


def test_links_in_a_zip_are_told_and_not_followed(tmp_path):
    (tmp_path / "canary").write_bytes(b"CANARY")
    made = Zip().add(b"link", packed=b"canary", external=(stat.S_IFLNK | 0o777) << 16)
    made.add(b"pipe", packed=b"", external=stat.S_IFIFO << 16).add(
        b"disk", packed=b"", external=stat.S_IFBLK << 16
    )
    made.add(b"good")
    assert judge(tmp_path, made.bytes()) == {
        "link": "file/unreadable", "pipe": "file/unreadable", "disk": "file/unreadable", "good": TEXT,
    }  # fmt: skip
    kinds = [m.member.kind for m in members(tmp_path / "archive")]
    assert kinds == ["symlink", "fifo", "device", "file"]


def test_links_and_devices_in_a_tar_are_told_and_not_followed(tmp_path):
    canary = tmp_path / "canary"
    canary.write_bytes(b"CANARY")
    data = (
        tar_header("hard", kind=b"1", linkname=str(canary))
        + tar_header("soft", kind=b"2", linkname="canary")
        + tar_header("character", kind=b"3", devmajor=1, devminor=5)
        + tar_header("block", kind=b"4")
        + tar_header("folder", kind=b"5")
        + tar_header("pipe", kind=b"6")
        + tar_file("good")
        + END
    )
    found = judge(tmp_path, data)
    assert found.pop("good") == TEXT
    assert set(found.values()) == {"file/unreadable"}
    kinds = [m.member.kind for m in members(tmp_path / "archive")]
    assert kinds == ["hardlink", "symlink", "device", "device", "fifo", "file"]


def test_an_archive_that_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "archive")
    with pytest.raises(FormatError) as caught:
        next(members(tmp_path / "archive"))
    assert caught.value.reason == "file/unreadable"


# --- bombs and lies -----------------------------------------------------------------------------------------


def test_members_that_share_their_bytes_are_refused(tmp_path):
    """The one-kernel bomb: every entry points at the same 64 MiB."""
    kernel = deflated(bytes(64 << 20))
    made = Zip().add(b"0", packed=kernel, size=64 << 20, method=8, checksum=zlib.crc32(bytes(64 << 20)))
    made.entries += [{**made.entries[0], "name": b"%d" % n} for n in range(1, 5000)]
    made.add(b"good")
    found = judge(tmp_path, made.bytes())
    assert found.pop("good") == TEXT
    assert set(found.values()) == {"file/corrupt"}


def test_members_that_run_through_each_other_are_refused(tmp_path):
    """Quoted overlap: each member's data hold the headers and data of all that follow (Fifield, WOOT 2019)."""
    made = Zip()
    for n in range(50):
        made.add(b"%02d" % n, packed=b"")
    made.add(b"kernel")
    total = len(made.data)
    for e in made.entries[:-1]:
        e["packed"] = e["size"] = total - e["place"] - 32
    found = judge(tmp_path, made.bytes())
    assert found.pop("kernel") == TEXT
    assert set(found.values()) == {"file/corrupt"}


def test_a_long_local_header_makes_no_way_into_the_next_member(tmp_path):
    data = bytearray(Zip().add(b"a", packed=b"1").add(b"good").bytes())
    struct.pack_into("<H", data, 28, 40)
    assert judge(tmp_path, bytes(data)) == {"a": "file/corrupt", "good": TEXT}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"packed": deflated(TEXT), "size": 10}, "file/corrupt"),
        ({"packed": deflated(TEXT), "size": len(TEXT) + 1}, "file/truncated"),
        ({"packed": deflated(TEXT), "size": 8 << 30}, "file/too-large"),
        ({"packed": deflated(TEXT), "size": 60 << 20}, "file/truncated"),
        ({"packed": deflated(TEXT)[:-1], "size": len(TEXT)}, "file/truncated"),
        ({"packed": b"\xff" * 99, "size": len(TEXT)}, "file/corrupt"),
        ({"packed": deflated(TEXT), "size": len(TEXT), "checksum": 1}, "file/corrupt"),
        ({"packed": TEXT, "size": 99, "method": 0}, "file/corrupt"),
        ({"packed": TEXT, "size": len(TEXT), "method": 0, "checksum": 1}, "file/corrupt"),
        ({"packed": bz2.compress(bytes(200 << 20)), "size": 200 << 20, "method": 12}, "file/too-large"),
        ({"packed": bz2.compress(bytes(60 << 20)), "size": 10, "method": 12}, "file/corrupt"),
        (
            {"packed": b"\x09\4\5\0\x5d\xff\xff\xff\xff" + bytes(99), "size": 99, "method": 14},
            "file/too-large",
        ),
        ({"packed": b"\x09\4", "size": 99, "method": 14}, "file/truncated"),
        ({"packed": TEXT, "size": len(TEXT), "method": 9}, "file/unsupported"),
        ({"packed": deflated(TEXT), "size": len(TEXT), "local": {"name": b"other"}}, "file/corrupt"),
        ({"packed": deflated(TEXT), "size": len(TEXT), "local": {"method": 0}}, "file/corrupt"),
        ({"packed": deflated(TEXT), "size": len(TEXT), "place": 1 << 31}, "file/corrupt"),
        ({"packed": deflated(TEXT), "size": len(TEXT), "flags": 1}, "file/encrypted"),
        ({"packed": deflated(TEXT), "size": len(TEXT), "flags": 0x41}, "file/encrypted"),
        ({"packed": deflated(TEXT), "size": len(TEXT), "method": 99}, "file/encrypted"),
    ],
)
def test_a_bad_member_is_refused_and_its_neighbours_are_not(tmp_path, entry, reason):
    known = {"method": 8, "checksum": zlib.crc32(TEXT)} | entry
    made = Zip().add(b"before").add(b"bad", **known).add(b"after")
    assert judge(tmp_path, made.bytes()) == {"before": TEXT, "bad": reason, "after": TEXT}


def test_an_entry_that_points_into_another_member_spoils_both(tmp_path):
    made = Zip().add(b"before").add(b"bad", place=7).add(b"after")
    assert judge(tmp_path, made.bytes()) == {"before": "file/corrupt", "bad": "file/corrupt", "after": TEXT}


def test_empty_masks_that_compress_well_are_no_bomb(tmp_path):
    data = bytes(100 << 20)
    made = Zip().add(b"mask", packed=deflated(data), size=len(data), method=8, checksum=zlib.crc32(data))
    assert judge(tmp_path, made.bytes())["mask"] == data[: 1 << 20]


def test_an_archive_in_an_archive_is_a_file(tmp_path):
    inner = TEXT
    for _ in range(5):
        inner = Zip().add(b"inner.zip", packed=inner).bytes()
    found = judge(tmp_path, inner)
    assert list(found) == ["inner.zip"]
    assert found["inner.zip"].startswith(b"PK\3\4")
    with pytest.raises(FormatError) as caught, opening(tmp_path / "archive!/inner.zip!/inner.zip"):
        raise AssertionError
    assert caught.value.reason == "file/unreadable"


def test_a_directory_larger_than_memory_is_not_read(tmp_path):
    path = tmp_path / "archive"
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        file.truncate(300 << 20)
        file.seek(0, 2)
        file.write(struct.pack(ZIP_END, b"PK\5\6", 0, 0, 9, 9, 300 << 20, 0, 0))
    assert judge(tmp_path, None) == "file/limit"


def test_more_members_than_allowed_are_not_listed(tmp_path):
    made = Zip()
    for n in range(1001):
        made.add(b"%d" % n, packed=b"")
    assert len(judge(tmp_path, made.bytes(), limit=1001)) == 1001
    archive._KEPT.clear()
    assert judge(tmp_path, made.bytes(), limit=1000) == "file/limit"
    assert judge(tmp_path, made.bytes(count=7)) == "file/corrupt"
    tar = b"".join(tar_header(f"{n}") for n in range(1001)) + END
    assert len(judge(tmp_path, tar, limit=1001)) == 1001
    archive._KEPT.clear()
    assert judge(tmp_path, tar, limit=1000) == "file/limit"
    archive._KEPT.clear()
    assert judge(tmp_path, tar_header("x", 0, b"g") * 9000 + END, limit=1000) == "file/limit"


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(tar_header("bomb", 8 << 30)) + gzip.compress(bytes(64 << 20), 9) * 32,
        gzip.compress(tar_file("x") + END) + gzip.compress(b"") * 1_000_000,
        gzip.compress(tar_header("bomb", 1 << 60)),
    ],
    ids=["large", "empty-streams", "stated"],
)
def test_a_compressed_tar_that_swells_is_refused(tmp_path, data):
    assert judge(tmp_path, data) == "file/too-large"


# --- cut and broken -----------------------------------------------------------------------------------------


def good_zip():
    return (
        Zip()
        .add(b"a")
        .add(b"b", packed=deflated(TEXT), size=len(TEXT), method=8, checksum=zlib.crc32(TEXT))
        .bytes()
    )


def good_tar():
    return tar_file("a") + tar_file("b") + END


def test_a_cut_archive_gives_no_members(tmp_path):
    draw = random.Random(7)
    for data, reasons in (
        (good_zip(), {"file/truncated", "file/unsupported"}),
        (good_tar(), {"file/truncated", "file/unsupported"}),
        (gzip.compress(good_tar()), {"file/truncated", "file/unsupported"}),
    ):
        assert judge(tmp_path, data) == {"a": TEXT, "b": TEXT}
        # a tar without its second block of zeros is as good as with it
        last = len(data) - (513 if data[:1] == b"a" else 1)
        for cut in [4, last, *(draw.randrange(5, last) for _ in range(100))]:
            assert judge(tmp_path, data[:cut]) in reasons, cut


@pytest.mark.parametrize("make", [good_zip, lambda: gzip.compress(good_tar())], ids=["zip", "tar.gz"])
def test_no_flipped_bit_is_silent(tmp_path, make):
    """What is read is right, or refused, or under another name (names of a zip have no check sum)."""
    draw, data = random.Random(8), make()
    for place in draw.sample(range(len(data)), min(200, len(data))):
        broken = bytearray(data)
        broken[place] ^= 1 << draw.randrange(8)
        found = judge(tmp_path, bytes(broken))
        if isinstance(found, dict):
            assert all(v == TEXT or v in REASONS for v in found.values()), place
            assert len(found) == 2


def test_a_second_archive_behind_or_in_front_is_not_lost(tmp_path):
    assert judge(tmp_path, good_zip() + good_zip()) == "file/corrupt"
    assert judge(tmp_path, good_tar() + good_tar()) == "file/corrupt"
    assert judge(tmp_path, gzip.compress(good_tar()) * 2) == "file/corrupt"
    assert judge(tmp_path, good_tar() + bytes(17 << 20)) == "file/corrupt"
    assert judge(tmp_path, good_zip() + b"more") == "file/truncated"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (tar_file("a") + b"x" * 512 + END, "file/corrupt"),
        (tar_header("a", 1 << 40) + END, "file/truncated"),
        (tar_header("l", 1 << 30, b"L") + END, "file/limit"),
        (tar_header("x", 1 << 30, b"x") + END, "file/limit"),
        (tar_file("x", b"9 path=a\n", kind=b"g") + tar_file("a") + END, "file/unsupported"),
        (tar_file("x", b"99 path=a\n", kind=b"x") + tar_file("a") + END, "file/corrupt"),
        (tar_file("x", b"0 path=a\n", kind=b"x") + tar_file("a") + END, "file/corrupt"),
        (tar_file("x", b"11 size=-1\n", kind=b"x") + tar_file("a") + END, "file/corrupt"),
        (tar_file("a", kind=b"M") + END, "file/unsupported"),
        (tar_header("a", -5) + END, "file/corrupt"),
    ],
)
def test_a_broken_tar_is_refused_as_a_whole(tmp_path, data, reason):
    assert judge(tmp_path, data) == reason


def test_a_sparse_member_is_refused_alone(tmp_path):
    old = bytearray(tar_header("sparse", 512, b"S"))
    old[482] = 1
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)
    data = bytes(old) + bytes(512) + b"d" * 512
    data += (
        tar_file("x", b"22 GNU.sparse.major=1\n", kind=b"x") + tar_file("sparse too") + tar_file("good") + END
    )
    assert judge(tmp_path, data) == {
        "sparse": "file/unsupported", "sparse too": "file/unsupported", "good": TEXT,
    }  # fmt: skip


def test_random_mutants_are_judged(tmp_path):
    draw = random.Random(9)
    for data in (good_zip(), good_tar(), gzip.compress(good_tar())):
        for _ in range(300):
            broken = bytearray(data)
            for _ in range(draw.randrange(1, 4)):
                at = draw.randrange(len(broken))
                change = draw.choice(
                    [b"", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", draw.randbytes(4)]
                )
                broken[at : at + draw.choice([0, 1, 4])] = change
            judge(tmp_path, bytes(broken))


# --- through the boundary -----------------------------------------------------------------------------------


def test_a_wrong_check_sum_is_told_though_the_last_bytes_are_not_read(tmp_path):
    data = random.Random(1).randbytes(200_000)
    for packed, method in ((data, 0), (deflated(data), 8)):
        made = Zip().add(b"m", packed=packed, size=len(data), method=method, checksum=1)
        (tmp_path / "archive").write_bytes(made.bytes())
        with opening(tmp_path / "archive!/m") as file:
            assert file.read(5000) == data[:5000]
        with (
            pytest.raises(FormatError) as caught,
            parsing("voxels"),
            opening(tmp_path / "archive!/m") as file,
        ):
            assert file.read(150_000) == data[:150_000]
        assert caught.value.reason == "file/corrupt"
        with pytest.raises(ZeroDivisionError), opening(tmp_path / "archive!/m") as file:
            raise ZeroDivisionError(file.read(150_000))


def test_the_error_of_a_member_names_nothing(tmp_path):
    (tmp_path / "archive").write_bytes(Zip().add(b"secret", checksum=1).bytes())
    for name in ("secret", "other secret"):
        with pytest.raises(FormatError) as caught, opening(tmp_path / f"archive!/{name}") as file:
            file.read()
        assert "secret" not in f"{caught.value} {caught.value.measured} {caught.value.expected}"


def test_python_writes_what_is_read(tmp_path):
    """The writer of these cases is checked against the standard library."""
    with zipfile.ZipFile(io.BytesIO(good_zip())) as known:
        assert known.testzip() is None
        assert {n: known.read(n) for n in known.namelist()} == judge(tmp_path, good_zip())
    with tarfile.open(fileobj=io.BytesIO(good_tar())) as known:
        assert [m.name for m in known] == list(judge(tmp_path, good_tar()))
