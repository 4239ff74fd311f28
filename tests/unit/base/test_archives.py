import gzip
import io
import itertools
import os
import random
import struct
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isocenter.base.archives import archive, streams, tars, zips
from isocenter.base.archives.address import address_of, member_at, open_file, split_address
from isocenter.base.archives.archive import archive_kind, find_member, members, open_member
from isocenter.base.archives.catalogue import Catalogue, label_of
from isocenter.base.arrow import path_text
from isocenter.base.digests import digest_of_bytes, digest_of_file
from isocenter.base.errors import FormatError
from isocenter.base.files import Signature, is_readable, located, signature

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
TAR_FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
LONG = "d/" * 60 + "a" * 90 + "ä.dcm"


def contents(count=12, seed=1, most=200_000):
    draw = random.Random(seed)
    sizes = [0, 1, 511, 512, 513, 8192, 8193, most, *(draw.randrange(most) for _ in range(count))]
    return {
        f"p{n % 3}/im{n}": draw.randbytes(size // 2) + bytes(size - size // 2)
        for n, size in enumerate(sizes[:count])
    }


def make_zip(path, files, methods=METHODS):
    with zipfile.ZipFile(path, "w") as out:
        for n, (name, data) in enumerate(files.items()):
            out.writestr(name, data, compress_type=methods[n % len(methods)])
    return path


def make_tar(path, files, tar_format=tarfile.GNU_FORMAT):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w", format=tar_format) as out:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return path


def make(folder, kind, files):
    path = folder / f"a.{kind}"
    return make_zip(path, files) if kind == "zip" else make_tar(path, files)


def handles():
    return len(list(Path("/proc/self/fd").iterdir()))


KINDS = pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])


@pytest.fixture(autouse=True)
def _nothing_kept():
    archive._KEPT.clear()


@KINDS
def test_members_are_listed_in_order_with_their_first_bytes(tmp_path, kind):
    files = contents()
    path = make(tmp_path, kind, files)
    assert archive_kind(path.read_bytes()[:8192]) == kind
    found = list(members(path, head_bytes=600))
    assert [f.member.name for f in found] == list(files)
    assert [f.head for f in found] == [d[:600] for d in files.values()]
    assert [f.member.size for f in found] == [len(d) for d in files.values()]
    assert {(f.member.kind, f.member.mtime_ns, f.error) for f in found} == {
        ("file", path.stat().st_mtime_ns, None)
    }


@KINDS
def test_more_of_a_member_can_be_read_while_it_is_listed(tmp_path, kind):
    files = contents()
    path = make(tmp_path, kind, files)
    for found, data in zip(members(path, head_bytes=10), files.values(), strict=True):
        assert found.more(8000, 1000) == data[8000:9000]
        assert found.more(0, 10**9) == data


@KINDS
def test_a_compressed_archive_that_keeps_no_heads_gives_them_still(tmp_path, kind, monkeypatch):
    files = contents()
    monkeypatch.setattr(archive, "_MOST_HEAD_BYTES", 500)
    found = list(members(make(tmp_path, kind, files)))
    assert [f.head for f in found] == [d[:8192] for d in files.values()]


@KINDS
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_reading_in_any_order_gives_what_was_stored(tmp_path, kind, data, monkeypatch):
    """Seeks and partial reads against an ordinary file in memory; the standard library wrote the archive."""
    monkeypatch.setattr(streams, "MARK_BYTES", 20_000)
    monkeypatch.setattr(streams, "BLOCK_BYTES", 7000)
    monkeypatch.setattr(streams, "MAX_BLOCKS", 9)
    files = contents(most=90_000)
    path = tmp_path / f"a.{kind}"
    if not path.exists():
        make(tmp_path, kind, files)
    for name in data.draw(st.lists(st.sampled_from(list(files)), min_size=1, max_size=4)):
        truth = io.BytesIO(files[name])
        with open_member(path, name) as file:
            for _ in range(data.draw(st.integers(1, 6))):
                offset, whence = data.draw(st.integers(0, 100_000)), data.draw(st.sampled_from([0, 0, 1, 2]))
                if whence == 2:
                    offset = -min(offset, len(files[name]))
                count = data.draw(st.one_of(st.integers(0, 100_000), st.just(-1)))
                assert file.seek(offset, whence) == truth.seek(offset, whence)
                assert file.read(count) == truth.read(count)
                assert file.tell() == truth.tell()


@pytest.mark.parametrize("tar_format", TAR_FORMATS)
@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
def test_what_tarfile_reads_is_what_is_read(tmp_path, tar_format, suffix):
    names = ["plain", "./dot", "/absolute", "a//b", "x" * 100, "d/" * 40 + "f", LONG, "ä"]
    if tar_format == tarfile.USTAR_FORMAT:
        names = [n for n in names if n != LONG]
    files = {n: n.encode() * 7 for n in names}
    path = make_tar(tmp_path / f"a.{suffix}", files, tar_format)
    found = list(members(path))
    with tarfile.open(path) as truth:
        assert [f.head for f in found] == [truth.extractfile(m).read() for m in truth.getmembers()]
    assert [f.member.name for f in found] == [label_of(n.encode()) for n in names]


def decompressed_bytes(monkeypatch):
    """How many bytes come out of decompressors from now on."""
    counts = [0]
    real = streams.Deflate.next

    def counting(self, data, count):
        out = real(self, data, count)
        counts[0] += len(out)
        return out

    monkeypatch.setattr(streams.Deflate, "next", counting)
    return counts


def test_marks_make_reading_at_a_place_cheap(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "MARK_BYTES", 10_000)
    monkeypatch.setattr(streams, "BLOCK_BYTES", 1000)
    files = contents(30)
    path = make_tar(tmp_path / "a.tar.gz", files)
    list(members(path))
    (known,) = archive._KEPT.values()
    total, marks = sum(map(len, files.values())), [m.out_at for m in known.marks._marks]
    assert len(marks) > total // 200_000
    assert marks == sorted(marks)
    counts = decompressed_bytes(monkeypatch)
    for name in ("p2/im29", "p0/im15", "p1/im25"):
        with open_member(path, name) as file:
            assert file.read() == files[name]
    assert counts[0] < sum(len(files[n]) for n in ("p2/im29", "p0/im15", "p1/im25")) + 3 * 150_000


def test_reading_backwards_decompresses_once(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "MARK_BYTES", 500_000)
    monkeypatch.setattr(streams, "BLOCK_BYTES", 20_000)
    files = contents(40)
    path = make_tar(tmp_path / "a.tar.gz", files)
    total = sum(map(len, files.values()))
    assert total > 2 * streams.MAX_BLOCKS * streams.BLOCK_BYTES
    list(members(path))
    counts = decompressed_bytes(monkeypatch)
    for name in reversed(files):
        with open_member(path, name) as file:
            assert file.read() == files[name]
    assert counts[0] < 1.5 * total
    assert len(streams._BLOCKS) <= streams.MAX_BLOCKS


def test_the_number_of_marks_is_bounded(monkeypatch):
    marks = streams.Marks()
    for n in range(1, 5000):
        at = n * streams.MARK_BYTES
        if marks.is_due(at):
            marks.add(streams.Mark(at, n, streams.Deflate(31)))
    assert streams.MAX_MARKS / 3 < len(marks) <= streams.MAX_MARKS
    assert marks.before(streams.MARK_BYTES - 1) is None
    for n in (100, 2500, 4999):
        at = n * streams.MARK_BYTES
        assert at - marks._step < marks.before(at).out_at <= at


@KINDS
def test_threads_read_their_own_members(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(streams, "MARK_BYTES", 10_000)
    monkeypatch.setattr(streams, "BLOCK_BYTES", 3000)
    files = contents(30, most=50_000)
    path = make(tmp_path, kind, files)

    def is_right(name):
        with open_member(path, name) as file:
            return file.read() == files[name]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(is_right, list(files) * 5))


@KINDS
def test_nothing_stays_open(tmp_path, kind):
    path = make(tmp_path, kind, contents())
    before = handles()
    for found in members(path):
        with open_member(path, found.member.name) as file:
            file.read(1)
    with pytest.raises(FormatError):
        open_member(path, "gone")
    open_member(path, "p0/im0").close()
    (found,) = itertools.islice(members(path), 1)
    assert handles() == before
    with pytest.raises(ValueError, match="closed"):
        found.more(0, 1)


def test_an_archive_that_is_written_anew_is_read_anew(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"m": b"old"})
    assert find_member(path, "m").size == 3
    os.utime(make_zip(path, {"m": b"newer"}), ns=(1, 1))
    assert find_member(path, "m").size == 5
    with open_member(path, "m") as file:
        assert file.read() == b"newer"


def test_few_archives_are_kept(tmp_path):
    for n in range(80):
        list(members(make_zip(tmp_path / f"{n}.zip", {"m": b"x"})))
    assert len(archive._KEPT) == 64


@KINDS
def test_one_limit_counts_members(tmp_path, kind):
    path = make(tmp_path, kind, contents(9))
    assert len(list(members(path, limit=9))) == 9
    with pytest.raises(FormatError) as caught:
        next(members(path, limit=8))
    assert caught.value.reason == "file/limit"
    archive._KEPT.clear()
    with pytest.raises(FormatError) as caught:
        next(members(path, limit=8))
    assert caught.value.reason == "file/limit"


def test_members_of_one_name_are_told_apart(tmp_path):
    files = [("x", b"1"), ("x#2", b"2"), ("x", b"3"), ("./x", b"4"), ("y", b"5"), ("/x", b"6")]
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as out:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    found = list(members(path))
    assert [f.member.name for f in found] == ["x", "x#2", "x#3", "x#4", "y", "x#5"]
    for listed, (_, data) in zip(found, files, strict=True):
        with open_member(path, listed.member.name) as file:
            assert file.read() == data == listed.head


@given(st.lists(st.sampled_from(["x", "x#2", "x#3", "x#2#2", "y", "./y", ""]), max_size=30))
def test_no_two_members_share_an_address(names):
    catalogue = Catalogue()
    for place, name in enumerate(names):
        catalogue.add(name.encode(), place=place, size=0)
    catalogue.seal()
    given_names = [catalogue.name(n) for n in range(len(names))]
    assert len(set(given_names)) == len(names)
    assert [catalogue.find(n) for n in given_names] == list(range(len(names)))


@given(st.binary(max_size=40))
def test_a_label_is_a_path_that_stays_where_it_is(stored):
    label = label_of(stored)
    assert str(Path("a.zip!") / label) == f"a.zip!/{label}"
    assert ".." not in Path(label).parts
    assert "\0" not in label
    assert os.path.normpath(f"/r/a.zip!/{label}") == f"/r/a.zip!/{label}"


@pytest.mark.parametrize(
    ("stored", "label"),
    [
        (b"../x", "(..)/x"),
        (b"/etc/passwd", "etc/passwd"),
        (rb"C:\x", r"C:\x"),
        (b"a/./b//c/", "a/b/c"),
        (b"l\xe4sion", "l\udce4sion"),
        (b"", "(no name)"),
        (b"a\0b", "a(nul)b"),
        (b"...", "..."),
    ],
)
def test_labels(stored, label):
    assert label_of(stored) == label


@KINDS
def test_an_address_is_used_like_a_path(tmp_path, kind):
    files = contents()
    path = make(tmp_path, kind, files)
    where = tmp_path / address_of(path.name, "p1/im7")
    assert split_address(where) == (path, "p1/im7")
    assert is_readable(where)
    assert not is_readable(tmp_path / f"{path.name}!/gone")
    assert signature(where) == Signature(len(files["p1/im7"]), path.stat().st_mtime_ns)
    assert digest_of_file(where) == digest_of_bytes(files["p1/im7"])
    with open_file(where) as file:
        assert file.read() == files["p1/im7"]
    with pytest.raises(OSError, match="no such member"):
        signature(tmp_path / f"{path.name}!/gone")


def test_a_path_that_exists_is_no_address(tmp_path):
    make_zip(tmp_path / "a.zip", {"m": b"member", "x!/m": b"inner"})
    make_zip(tmp_path / "b.zip", {"m": b"member"})
    (tmp_path / "b.zip!").mkdir()
    (tmp_path / "b.zip!/m").write_bytes(b"file")
    (tmp_path / "folder!").mkdir()
    make_zip(tmp_path / "folder!/c.zip", {"m": b"deep"})
    texts = {}
    for name in ("a.zip!/m", "a.zip!/x!/m", "b.zip!/m", "folder!/c.zip!/m"):
        with open_file(tmp_path / name) as file:
            texts[name] = file.read()
    assert list(texts.values()) == [b"member", b"inner", b"file", b"deep"]
    assert member_at(tmp_path / "b.zip!/m") is None
    assert split_address(tmp_path / "gone.zip!/m") is None
    assert split_address(tmp_path / "folder!/m") is None
    with pytest.raises(FormatError, match="beside"):
        next(members(tmp_path / "b.zip"))


def test_a_member_whose_name_is_no_utf8_is_found_again_through_a_table(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", encoding="utf-8", errors="surrogateescape") as out:
        for name in ("l\udce4sion", r"l\udce4"):
            info = tarfile.TarInfo(name)
            info.size = 1
            out.addfile(info, io.BytesIO(name[-1].encode()))
    in_table = [f"a.tar!/{path_text(f.member.name)}" for f in members(path)]
    assert in_table == [r"a.tar!/l\udce4sion", r"a.tar!/l\u005cudce4"]
    for text, data in zip(in_table, (b"n", b"4"), strict=True):
        with open_file(located(tmp_path, text)) as file:
            assert file.read() == data


def test_links_of_the_file_system_are_not_followed(tmp_path):
    make_zip(tmp_path / "a.zip", {"m": b"x"})
    (tmp_path / "b.zip").symlink_to("a.zip")
    assert split_address(tmp_path / "b.zip!/m") is None
    with pytest.raises(FormatError) as caught:
        open_member(tmp_path / "b.zip", "m")
    assert caught.value.reason == "file/unreadable"


def test_folders_are_no_members_unless_they_hold_bytes(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.mkdir("d")
        out.writestr("d/f", b"1")
        out.writestr("odd/", b"2")
    assert [(f.member.name, f.head) for f in members(path)] == [("d/f", b"1"), ("odd", b"2")]
    with tarfile.open(tmp_path / "a.tar", "w") as out:
        info = tarfile.TarInfo("d")
        info.type = tarfile.DIRTYPE
        out.addfile(info)
    assert list(members(tmp_path / "a.tar")) == []


@pytest.mark.parametrize("is_wide", [True, False])
def test_a_zip_of_more_than_65535_members_is_read(tmp_path, is_wide):
    """With the wide record of the directory's end, and with a number that has wrapped round."""
    count, data, directory = 65_540, bytearray(), bytearray()
    for n in range(count):
        directory += (
            struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, *[0] * 7, 5, *[0] * 5, len(data)) + b"%05d" % n
        )
        data += struct.pack("<4s5H3L2H", b"PK\3\4", 20, *[0] * 7, 5, 0) + b"%05d" % n
    place, end = len(data), len(data) + len(directory)
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 20, 20, 0, 0, count, count, len(directory), place)
    wide += struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    stated = 0xFFFF if is_wide else count & 0xFFFF
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, stated, stated, len(directory), place, 0)
    (tmp_path / "a.zip").write_bytes(data + directory + (wide if is_wide else b"") + tail)
    with zipfile.ZipFile(tmp_path / "a.zip") as truth:
        assert [f.member.name for f in members(tmp_path / "a.zip")] == truth.namelist()


def test_a_directory_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "_WINDOW_BYTES", 200_000)
    files = {f"{n}" + "n" * 50_000: b"%d" % n for n in range(9)}
    found = list(members(make_zip(tmp_path / "a.zip", files)))
    assert {f.member.name: f.head for f in found} == files


def test_a_zip_with_wide_offsets_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    path = make_zip(tmp_path / "a.zip", {"a": b"x" * 1000, "b": b"y" * 1000})
    assert b"PK\6\6" in path.read_bytes()
    assert [(f.member.name, f.member.size, f.head[:1]) for f in members(path)] == [
        ("a", 1000, b"x"),
        ("b", 1000, b"y"),
    ]


def test_a_zip_that_was_streamed_is_read(tmp_path):
    """Sizes stand behind the data there, and the directory has them."""

    class Pipe(io.RawIOBase):
        def __init__(self, file):
            self.file = file

        def writable(self):
            return True

        def write(self, data):
            return self.file.write(data)

    with (tmp_path / "a.zip").open("wb") as file, zipfile.ZipFile(Pipe(file), "w") as out:
        out.writestr("m", b"abc", compress_type=8)
    assert [f.head for f in members(tmp_path / "a.zip")] == [b"abc"]


def test_several_gzip_streams_and_zeros_behind_them_are_one_tar(tmp_path):
    files = contents()
    whole = make_tar(tmp_path / "a.tar", files).read_bytes()
    cuts = [0, 100, 5000, len(whole) // 2, len(whole)]
    pieces = [gzip.compress(whole[a:b]) for a, b in itertools.pairwise(cuts)]
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"".join(pieces) + bytes(1000))
    for name in reversed(files):
        with open_member(path, name) as file:
            assert file.read() == files[name]
    path.write_bytes(b"".join(pieces) + b"\0\0more")
    with pytest.raises(FormatError, match="bytes follow"):
        list(members(path))


def test_sizes_and_names_of_pax_count(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as out:
        info = tarfile.TarInfo("short")
        info.size = 3
        info.pax_headers = {"path": "l\udce4ng/" * 50, "comment": "a\nb=c"}
        out.addfile(info, io.BytesIO(b"abc"))
    (found,) = members(path)
    assert (found.member.size, found.head) == (3, b"abc")
    whole = tarfile.TarInfo._create_pax_generic_header({"size": "3", "path": "real"}, b"x", "utf-8")
    own = tarfile.TarInfo("other").tobuf(tarfile.USTAR_FORMAT)
    path.write_bytes(whole + own + b"abc".ljust(512, b"\0") + bytes(1024))
    os.utime(path, ns=(5, 5))
    assert [(f.member.name, f.head) for f in members(path)] == [("real", b"abc")]


@pytest.mark.parametrize(
    "head", [b"", b"\x1f\x8b", b"\x1f\x8b\x08junkjunkjunk", bytes(1024), b"PK\1\2", b"x" * 600]
)
def test_other_first_bytes_are_no_archive(tmp_path, head):
    assert archive_kind(head) is None
    (tmp_path / "f").write_bytes(head)
    with pytest.raises(FormatError) as caught:
        list(members(tmp_path / "f"))
    assert caught.value.reason == "file/unsupported"


def test_an_old_tar_without_a_magic_word_is_a_tar(tmp_path):
    block = bytearray(tarfile.TarInfo("old").tobuf(tarfile.USTAR_FORMAT))
    block[257:265] = bytes(8)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    (tmp_path / "a.tar").write_bytes(bytes(block) + bytes(1024))
    assert tars.is_header(bytes(block))
    assert [f.member.name for f in members(tmp_path / "a.tar")] == ["old"]


def test_a_dictionary_of_lzma_is_bounded():
    with pytest.raises(FormatError) as caught:
        streams.raw_lzma(b"\x5d\xff\xff\xff\xff")
    assert caught.value.reason == "file/too-large"
    assert zips.MAX_DIRECTORY_BYTES == 256 << 20
