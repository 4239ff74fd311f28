"""Pieces of regular files are read, and of nothing else."""

import os

import pytest

from isocenter.base.regular import read_piece


def test_a_piece_is_shorter_only_at_the_end(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abcdef")
    assert read_piece(str(path), 2, 3) == b"cde"
    assert read_piece(str(path), 4, 10) == b"ef"
    assert read_piece(str(path), 9, 1) == b""


def test_links_pipes_and_folders_are_refused_at_once(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", ".", "nowhere"):
        with pytest.raises(OSError, match=r"."):
            read_piece(str(tmp_path / name), 0, 1)
