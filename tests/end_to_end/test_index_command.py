"""`isocenter index` on a small simulated archive: its account against the disk and pydicom, and the page's queries."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID

from isocenter.cli.main import main
from isocenter.testing.simulate import simulate

PAGE = Path(__file__).parents[2] / "docs/how-to/index-an-archive.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("look") / "hospital"
    simulate(out, patients=5, matrix=40, slices=8, truth=out.with_name("truth.json"), special_files=True)
    return out


@pytest.fixture(scope="module")
def workspace(folder):
    """The index of the archive, made by the command in a process of its own: its folder, and what was printed."""
    root = folder.with_name("work")
    words = [sys.executable, "-m", "isocenter", "index", str(folder), "--workspace", str(root), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return root, json.loads(done.stdout)


@pytest.fixture
def say(capsys):
    def run(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(w) for w in words])
        return caught.value.code, *capsys.readouterr()

    return run


def entries_of(folder):
    """Every entry that is no folder, as the system lists them."""
    return [Path(top) / name for top, _, names in os.walk(folder) for name in names]


def test_the_account_equals_the_disk(folder, workspace):
    told = workspace[1]["inventory"]
    entries = entries_of(folder)
    assert told["entries"] == sum(s["entries"] for s in told["states"]) == len(entries)
    assert told["size_bytes"] == sum(p.lstat().st_size for p in entries)
    kinds = {t["value"]: t["count"] for t in told["kinds"]["largest"]}
    assert kinds["symlink"] == sum(p.is_symlink() for p in entries)
    assert kinds["fifo"] == sum(p.is_fifo() for p in entries)
    assert all(s["entries"] for s in told["states"] if s["state"] != "other")


def test_the_sop_classes_are_those_that_pydicom_reads(folder, workspace):
    root, document = workspace
    refused = _asked(root, "select path from states where state = 'refused' and reason like 'file/%'")
    expected = Counter()
    for path in entries_of(folder):
        if path.is_file() and not path.is_symlink() and path.relative_to(folder).as_posix() not in refused:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    header = pydicom.dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
                except Exception:  # noqa: BLE001 - whatever pydicom says of a file that is none
                    continue
                expected[str(header.get("SOPClassUID", ""))] += 1
    told = document["inventory"]["sop_classes"]
    assert {t["value"]: t["count"] for t in told["largest"]} == expected
    assert {t["name"] for t in told["largest"]} == {UID(uid).name for uid in expected}
    assert told["total"] == document["inventory"]["objects"] == expected.total()


def _asked(root, sql):
    words = [sys.executable, "-m", "isocenter", "index", "--workspace", str(root), "--query", sql, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return {row["path"] for row in json.loads(done.stdout)}


def test_a_second_call_reads_nothing_and_says_the_same(folder, workspace, say):
    root, first = workspace
    code, out, _ = say("index", folder, "--workspace", root, "--json")
    again = json.loads(out)
    assert code == 0
    assert again["inventory"] == first["inventory"]
    assert again["counts"]["scanned"] == 0
    assert again["counts"]["reused"] == first["counts"]["files"]


def test_every_query_of_the_page_is_answered(workspace, say):
    lines = re.findall(r"^\$ (isocenter index --workspace work --query .*)$", PAGE.read_text(), re.MULTILINE)
    assert len(lines) >= 10
    silent = []
    for line in lines:
        words = shlex.split(line)[1:]
        words[words.index("work")] = str(workspace[0])
        code, out, err = say(*words)
        assert code == 0, f"{line}\n{err}"
        if len(out.splitlines()) < 3:
            silent.append(line)
    assert len(silent) <= 2  # a small archive need not have everything


def test_a_single_file_and_an_archive_are_looked_into(folder, tmp_path, say):
    image = next(
        p for p in sorted(folder.glob("site-a/**/*")) if p.is_file() and p.read_bytes()[128:132] == b"DICM"
    )
    with zipfile.ZipFile(tmp_path / "scans.zip", "w") as packed:
        packed.write(image, "in/one")
        packed.writestr("in/notes.txt", "nothing")
    code, out, _ = say("index", image, "--json")
    assert (code, json.loads(out)["inventory"]["entries"]) == (0, 1)
    code, out, _ = say("index", tmp_path / "scans.zip", "--json")
    told = json.loads(out)["inventory"]
    assert code == 0
    assert (told["entries"], told["archives"], told["archived"]) == (3, 1, 2)
    states = {s["state"]: s["entries"] for s in told["states"]}
    assert states == {"image": 1, "annotation": 0, "other": 1, "refused": 0, "ignored": 1}
    assert told["size_bytes"] == (tmp_path / "scans.zip").stat().st_size


def test_a_query_that_takes_too_long_can_be_stopped(workspace, say):
    endless = "select count(*) from range(100000000) a, range(100000) b where a.range * b.range < 0"
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    code, out, err = say("index", "--workspace", workspace[0], "--query", endless)
    assert (code, out) == (130, "")
    assert "Interrupted" in err


def test_the_terminal_is_safe_from_headers(folder, tmp_path, say):
    image = next(
        p for p in sorted(folder.glob("site-a/**/*")) if p.is_file() and p.read_bytes()[128:132] == b"DICM"
    )
    (tmp_path / "in").mkdir()
    data = pydicom.dcmread(image)
    data.Manufacturer, data.ManufacturerModelName = "\x1b[2JEvil", "M\x07\x9b"
    data.save_as(tmp_path / "in" / "x\x1b[31m.dcm")
    for words in (
        [],
        ["--json"],
        ["--query", "select files.path, manufacturer, model from files join instances using (file_id)"],
    ):
        code, out, err = say("index", tmp_path / "in", *words)
        assert code == 0
        assert ("Evil" in out) == bool(
            words and words[0] == "--query"
        )  # to the account it is no maker's name
        assert not {"\x1b", "\x07", "\x9b"} & set(out + err)
