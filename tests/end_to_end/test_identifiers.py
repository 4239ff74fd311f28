"""Nothing that is written for others names a person: byte searches over everything a run leaves behind."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.cli.main import main
from isocenter.formats.images import nifti
from tests.end_to_end import cohorts

PRIVATE = {"index", "secret.key"}


def shared_files(root):
    """Files of a workspace that may leave the house."""
    return [p for p in sorted(root.rglob("*")) if p.is_file() and p.relative_to(root).parts[0] not in PRIVATE]


def everything_said(root):
    """File name to bytes: files as they are, tables and records also as the values inside them."""
    out = {}
    for path in shared_files(root):
        name = path.relative_to(root).as_posix()
        out[name] = path.read_bytes()
        if path.suffix == ".parquet":
            values = tables.read_table(path).to_pylist()
            out[f"{name} (values)"] = json.dumps(values, default=str, ensure_ascii=False).encode()
    store = iso.open(root / "store")
    for case_id in store:
        meta = json.dumps(store.meta(case_id), default=str, ensure_ascii=False)
        out[f"{case_id} (record)"] = (meta + " ".join(store.arrays(case_id))).encode()
    return out


def tokens(archive):
    """Every planted text, in the encodings that a file may have; dates and names also by their parts."""
    out = {"2.25."}  # what every planted UID begins with
    for item in archive.truth.identifiers:
        if item.kind == "uid":
            assert item.text.startswith("2.25.")
            continue
        texts = {item.text} if item.kind == "institution" else {item.text, *re.split(r"[\^=, ]+", item.text)}
        if item.kind == "birth-date":
            year, month, day = item.text[:4], item.text[4:6], item.text[6:]
            texts |= {f"{year}-{month}-{day}", f"{day}.{month}.{year}"}
        out |= {t for t in texts if len(t) >= 5}
    return {t.lower().encode(code, "ignore") for t in out for code in ("utf-8", "latin-1", "utf-16-le")}


def found_in(said, words):
    """Where a text occurs, whatever its case."""
    out = {}
    for name, data in said.items():
        lowered = data.lower()
        if hits := sorted(w for w in words if w.lower() in lowered):
            out[name] = hits
    return out


def test_the_search_finds_what_is_there(archive, segmented):
    """Or the others would prove nothing: the index, which may name people, does."""
    rows = tables.read_table(segmented.root / "index" / "instances.parquet").to_pylist()
    assert found_in({"index": json.dumps(rows, default=str, ensure_ascii=False).encode()}, tokens(archive))
    assert len(tokens(archive)) > 300


@pytest.mark.parametrize("name", ["segmented", "classified", "detected"])
def test_no_identifier_leaves_the_index(archive, request, name):
    done = request.getfixturevalue(name)
    said = everything_said(done.root)
    assert any(n.endswith("(record)") for n in said)
    words = tokens(archive)
    assert found_in(said, words) == {}
    names = {
        p.as_posix(): p.as_posix().encode() for p in (q.relative_to(done.root) for q in done.root.rglob("*"))
    }
    assert found_in(names, words) == {}
    assert found_in({"summary": repr(done.run).encode()}, words) == {}


def test_no_absolute_path_is_written(archive, segmented):
    said = everything_said(segmented.root)
    places = {
        str(archive.folder.parent).encode(),
        str(segmented.root.parent).encode(),
        str(Path.home()).encode(),
    }
    assert found_in(said, places) == {}


def test_the_command_line_says_no_names(archive, tmp_path):
    path = cohorts.written(tmp_path, cohorts.segmentation(archive.folder))
    for words in (["run"], ["run", "--json"], ["run", "--dry-run"]):
        line = [sys.executable, "-m", "isocenter", words[0], path.name, *words[1:]]
        done = subprocess.run(line, cwd=tmp_path, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        said = {"stdout": done.stdout, "stderr": done.stderr}
        assert b"files = " in done.stdout
        assert found_in(said, tokens(archive)) == {}
        assert found_in(said, {str(archive.folder).encode()}) == {}


class UnforeseenError(Exception):
    """What a reader may raise one day, with a name in its text."""


def test_a_crash_of_a_reader_costs_one_case_and_tells_no_name(
    archive, segmented, tmp_path, monkeypatch, capfd
):
    person = next(i.text for i in archive.truth.identifiers if i.kind == "patient-name" and "^" in i.text)

    def broken(stack, paths, expected):
        raise UnforeseenError(f"cannot read {person} in {paths[0]}")

    monkeypatch.setattr(nifti, "read", broken)
    split = {"strategy": "grouped", "fractions": {"train": 0.5, "test": 0.5}}
    run = iso.run(cohorts.written(tmp_path, cohorts.segmentation(archive.folder, split=split)))
    assert run.gate is None
    ledger = cohorts.Ledger(run.workspace, archive.folder, segmented.document["sources"])
    cases = [c for c in archive.truth.cases if c.kind == "nifti-masks" and c.expected != "reject"]
    assert {ledger.verdict(c.paths[0]) for c in cases} == {"reject"}
    assert {ledger.outcome(c.paths[0]).reason for c in cases} == {"build/failed"}
    log = (run.workspace / "log.jsonl").read_text()
    assert '"kind": "UnforeseenError"' in log
    said = everything_said(run.workspace) | {"out": "".join(capfd.readouterr()).encode()}
    assert found_in(said, tokens(archive) | {str(archive.folder).encode()}) == {}


def test_a_bug_is_a_crash_with_a_place_and_without_a_name(archive, tmp_path, monkeypatch, capfd):
    person = next(i.text for i in archive.truth.identifiers if i.kind == "patient-name" and "^" in i.text)

    def broken(*_, **__):
        raise UnforeseenError(f"{person} {archive.folder}")

    monkeypatch.setattr("isocenter.pipeline.stages.enrol", broken)
    path = cohorts.written(tmp_path, cohorts.segmentation(archive.folder))
    with pytest.raises(SystemExit) as left:
        main(["run", str(path)])
    assert left.value.code == 3
    told = "".join(capfd.readouterr())
    assert "UnforeseenError in " in told
    log = (tmp_path / "work" / "log.jsonl").read_text()
    crash = json.loads(log.splitlines()[-1])
    assert (crash["event"], crash["kind"]) == ("crash", "UnforeseenError")
    assert (
        found_in(
            {"log": log.encode(), "told": told.encode()}, tokens(archive) | {str(archive.folder).encode()}
        )
        == {}
    )


def test_the_store_opens_when_copied_alone(segmented, tmp_path):
    copy = shutil.copytree(segmented.run.store, tmp_path / "elsewhere")
    store = iso.open(copy, verify="read")
    assert store.verify() == []
    first = next(iter(store))
    assert store[first].image.shape == iso.open(segmented.run.store)[first].image.shape
    assert store.splits() == ("default",)
