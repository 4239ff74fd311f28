"""The compiled calls say what the ordinary ones do."""

import itertools
import os
import socket
import stat
from pathlib import Path

import numpy as np
import pytest

from isocenter.base.bulk import CHANGED, device_of, is_listed, joined, list_folder, names_of, read_heads

HEAD = 64


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "small").write_bytes(b"abc")
    (tmp_path / "large").write_bytes(bytes(range(256)) * 3)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "inner").mkdir()
    (tmp_path / "link").symlink_to("small")
    (tmp_path / "dead").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / os.fsdecode(b"l\xe4sion")).write_bytes(b"x")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
    os.utime(tmp_path / "small", ns=(1, 1_234_567_890_123_456_789))
    os.utime(tmp_path / "large", ns=(1, -5_000_000_001))
    return os.fsencode(tmp_path)


def listed(status):
    return np.stack([status.size, status.mtime_ns, status.inode, status.device], axis=1)


def test_a_folder_lists_as_lstat_sees_it(folder):
    names, status = list_folder(folder)
    assert names == sorted(os.fsencode(p.name) for p in Path(os.fsdecode(folder)).iterdir())
    for n, name in enumerate(names):
        info = os.lstat(folder + b"/" + name)
        assert status.is_known[n]
        assert status.mode[n] == info.st_mode
        assert status.size[n] == info.st_size
        assert status.mtime_ns[n] == info.st_mtime_ns
        assert status.inode[n] == info.st_ino
        assert status.device[n] == os.major(info.st_dev) * 2**20 + os.minor(info.st_dev)


def test_an_empty_folder_has_no_entries(tmp_path):
    names, status = list_folder(os.fsencode(tmp_path))
    assert (names, len(status.mode)) == ([], 0)


def test_a_folder_that_is_none_is_refused(folder):
    with pytest.raises(OSError, match="small"):
        list_folder(folder + b"/small")


def test_heads_are_the_first_bytes(folder):
    names, status = list_folder(folder)
    files = [n for n, m in enumerate(status.mode.tolist()) if stat.S_ISREG(m)]
    chosen = [names[n] for n in files]
    arena = np.zeros(len(chosen) * HEAD, np.uint8)
    counts = read_heads(os.fsdecode(folder), names_of(chosen), listed(status)[files], arena, HEAD)
    for n, name in enumerate(chosen):
        expected = Path(os.fsdecode(folder + b"/" + name)).read_bytes()[:HEAD]
        assert arena[n * HEAD : n * HEAD + counts[n]].tobytes() == expected


def test_more_files_than_are_opened_at_once(tmp_path):
    for n in range(100):
        (tmp_path / f"{n:03}").write_bytes(n.to_bytes(2, "little") * 5)
    names, status = list_folder(os.fsencode(tmp_path))
    arena = np.zeros(100 * HEAD, np.uint8)
    before = len(list(Path("/proc/self/fd").iterdir()))
    counts = read_heads(str(tmp_path), names_of(names), listed(status), arena, HEAD)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert counts.tolist() == [10] * 100
    assert arena.reshape(100, HEAD)[:, 0].tolist() == list(range(100))


def test_files_that_are_not_in_memory_are_read_from_disk(tmp_path):
    for n in range(40):
        with (tmp_path / f"{n:03}").open("wb") as file:
            file.write(bytes([n]) * 300)
            file.flush()
            os.fsync(file.fileno())
            if n % 3:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    names, status = list_folder(os.fsencode(tmp_path))
    arena = np.zeros(40 * HEAD, np.uint8)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert read_heads(str(tmp_path), names_of(names), listed(status), arena, HEAD).tolist() == [HEAD] * 40
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert (arena.reshape(40, HEAD) == np.arange(40)[:, None]).all()


def test_files_of_several_folders_are_read_whatever_their_order(tmp_path):
    deep = "d" * 200
    names = ["a/1", "a/2", "b/1", "3", "a/3", "a/in/1", "gone/1", "ab/1", "4", f"{deep}/{deep}/1", "a/4"]
    for n, name in enumerate(names):
        if name != "gone/1":
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(bytes([n + 1]) * 10)
    (tmp_path / "to a").symlink_to("a")
    names += ["to a/1", "a" * 5000 + "/1"]
    is_there = [n not in {6, len(names) - 1} for n in range(len(names))]
    looks = [(tmp_path / n).stat() if found else None for n, found in zip(names, is_there, strict=True)]
    known = [(0, 0, 0, 0) if i is None else (i.st_size, i.st_mtime_ns, i.st_ino, device_of(i)) for i in looks]
    arena = np.zeros(len(names) * HEAD, np.uint8)
    before = len(list(Path("/proc/self/fd").iterdir()))
    counts = read_heads(
        str(tmp_path), names_of([os.fsencode(n) for n in names]), np.array(known), arena, HEAD
    )
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    expected = [10] * len(names)
    expected[6] = expected[-1] = -1
    assert counts.tolist() == expected
    first = arena.reshape(-1, HEAD)[:, 0].tolist()
    assert first == [1, 2, 3, 4, 5, 6, 0, 8, 9, 10, 11, 1, 0]


def test_what_is_no_longer_as_it_was_listed_is_not_read(folder):
    info = os.lstat(folder + b"/small")
    known = (info.st_size, info.st_mtime_ns, info.st_ino, device_of(info))
    rows = [
        (b"small", known, 3),
        (b"pipe", (0, os.lstat(folder + b"/pipe").st_mtime_ns, *known[2:]), CHANGED),
        (b"link", known, -1),
        (b"gone", known, -1),
    ]
    rows += [(b"small", (*known[:n], known[n] + 1, *known[n + 1 :]), CHANGED) for n in range(4)]
    names, described, expected = zip(*rows, strict=True)
    arena = np.zeros(len(rows) * HEAD, np.uint8)
    counts = read_heads(os.fsdecode(folder), names_of(names), np.array(described), arena, HEAD)
    assert counts.tolist() == list(expected)
    gone = os.fsdecode(folder) + "/gone"
    assert read_heads(gone, names_of(names), np.array(described), arena, HEAD).tolist() == [-1] * len(rows)
    for name, one, count in rows:
        path = os.fsdecode(folder + b"/" + name)
        assert is_listed(path, one) == (count > 0)


def test_a_folder_that_another_has_replaced_is_refused(folder, tmp_path):
    names, status = list_folder(folder)
    row = names.index(b"inner")
    inner = (int(status.inode[row]), int(status.device[row]))
    assert list_folder(folder + b"/inner", inner)[0] == []
    (tmp_path / "inner").rename(tmp_path / "moved")
    (tmp_path / "inner").symlink_to("moved")
    with pytest.raises(OSError, match="inner"):
        list_folder(folder + b"/inner", inner)
    assert list_folder(folder + b"/inner")[0] == []  # a root may be a link
    (tmp_path / "inner").unlink()
    (tmp_path / "inner").mkdir()
    with pytest.raises(OSError, match="another folder"):
        list_folder(folder + b"/inner", inner)


def test_names_are_joined_behind_their_folder():
    data, offsets = joined(b"a/b/", [b"1", b"", b"xyz"])
    assert [data[a:b].tobytes() for a, b in itertools.pairwise(offsets)] == [
        b"a/b/1",
        b"a/b/",
        b"a/b/xyz",
    ]
    assert joined(b"a/", [])[1].tolist() == [0]
