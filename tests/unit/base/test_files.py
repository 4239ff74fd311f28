import os

import pytest

from isocenter.base import tables
from isocenter.base.arrow import path_text
from isocenter.base.files import is_readable, located, open_regular, walk, write_atomically, write_text
from isocenter.model.rows import FileRow


def test_every_entry_is_listed_once_sorted_and_links_are_not_followed(tmp_path):
    (tmp_path / "b/c").mkdir(parents=True)
    for name in ("b/c/2", "b/1", "a"):
        (tmp_path / name).write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    found = [(e.path, e.kind) for e in walk(tmp_path)]
    assert sorted(found) == [
        ("a", "file"), ("b/1", "file"), ("b/c/2", "file"), ("loop", "symlink"), ("pipe", "fifo"),
    ]  # fmt: skip
    assert found == [(e.path, e.kind) for e in walk(tmp_path)]


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    for name in ("pipe", "link", ".", "gone"):
        assert not is_readable(tmp_path / name)
        with pytest.raises(OSError), open_regular(tmp_path / name):
            pass
    assert is_readable(tmp_path / "file")


def test_a_name_that_is_no_utf8_is_found_again_through_a_table(tmp_path):
    (tmp_path / "data").mkdir()
    names = [b"l\xe4sion", "läsion".encode(), rb"l\udce4", rb"l\u005cudce4", rb"l\\udce4"]
    for name in names:
        (tmp_path / "data" / os.fsdecode(name)).write_bytes(name)
    paths = [path_text(e.path) for e in walk(tmp_path / "data")]
    rows = [FileRow(file_id="f", source=0, path=p, size=0, mtime_ns=0, kind="") for p in paths]
    tables.write(tmp_path / "t.parquet", FileRow, rows)
    back = [located(tmp_path / "data", r.path) for r in tables.read(tmp_path / "t.parquet", FileRow)]
    assert [p.read_bytes() for p in back] == [os.fsencode(p.name) for p in back]
    assert sorted(p.read_bytes() for p in back) == sorted(names)


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    write_text(tmp_path / "f", "old")

    def fail(path):
        path.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomically(tmp_path / "f", fail)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("f", "old")]
