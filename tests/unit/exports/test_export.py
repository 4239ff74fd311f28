import json
import shutil
from dataclasses import replace

import h5py
import pytest

from isocenter.base import tables
from isocenter.base.errors import ConfigError, RunError, UnknownPlugin
from isocenter.exports import export as exporting
from isocenter.exports.export import export
from isocenter.model.rows import CaseRow
from isocenter.stores.manifest import read_manifest, sealed, write_manifest
from isocenter.stores.store import Store
from tests.contracts import exported


@pytest.fixture
def store(tmp_path):
    return exported.plain(tmp_path / "store")


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def times(folder):
    return {p.relative_to(folder).as_posix(): p.stat().st_mtime_ns for p in folder.rglob("*.nii.gz")}


def reseal(store, change):
    """The store with other rows in its table of cases, sealed."""
    rows = [r for r in map(change, tables.read(store.path / "cases.parquet", CaseRow)) if r is not None]
    tables.write(store.path / "cases.parquet", CaseRow, rows)
    manifest = read_manifest(store.path)
    write_manifest(
        store.path, replace(manifest, files=tuple(sealed(store.path, f.name) for f in manifest.files))
    )
    return Store(store.path)


def damage(root, case_id, array):
    """Bits of a stored chunk turned over."""
    for shard in sorted((root / "shards").glob("*.h5")):
        chunks = []

        def look(name, node, into=chunks):
            if name.endswith(f"{case_id}/{array}"):
                into.append(node.id.get_chunk_info(0))

        with h5py.File(shard, "r", locking=False) as file:
            file.visititems(look)
        if chunks:
            data = bytearray(shard.read_bytes())
            middle = chunks[0].byte_offset + chunks[0].size // 2
            data[middle : middle + 9] = bytes(b ^ 0xFF for b in data[middle : middle + 9])
            shard.write_bytes(data)
            return
    raise KeyError(case_id)


class StoppedError(Exception):
    """What a test throws to stop an export."""


def stop_after(count):
    def progress(step):
        if step.done == count:
            raise StoppedError

    return progress


@pytest.mark.parametrize("to", ["nnunet", "monai", "nifti"])
@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_a_stopped_export_goes_on_and_ends_with_the_same_bytes(store, tmp_path, to, count):
    export(store, to=to, out=tmp_path / "Dataset002_Whole", jobs=1)
    with pytest.raises(StoppedError):
        export(store, to=to, out=tmp_path / "Dataset001_Out", jobs=1, progress=stop_after(count))
    assert not {p.name for p in (tmp_path / "Dataset001_Out").rglob("*")} & {
        "dataset.json",
        "datalist.json",
        "cases.csv",
    }
    before = times(tmp_path / "Dataset001_Out")
    done = export(store, to=to, out=tmp_path / "Dataset001_Out", jobs=1)
    assert contents(tmp_path / "Dataset001_Out") == contents(tmp_path / "Dataset002_Whole")
    assert done.written == sum(done.cases.values()) - count
    assert {n: t for n, t in times(tmp_path / "Dataset001_Out").items() if n in before} == before


def test_a_second_export_writes_nothing(store, tmp_path):
    first = export(store, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1)
    before = times(tmp_path / "Dataset001_Out")
    again = export(store, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1)
    assert (first.written, again.written) == (6, 0)
    assert replace(again, written=6) == first
    assert times(tmp_path / "Dataset001_Out") == before


def test_only_what_has_changed_is_written_again(store, tmp_path):
    export(store, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1)
    before = times(tmp_path / "Dataset001_Out")
    changed = reseal(store, lambda r: replace(r, digest="new") if r.id == "case-0001" else r)
    assert export(changed, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1).written == 1
    after = times(tmp_path / "Dataset001_Out")
    assert {n.partition("/")[2] for n in before if before[n] != after[n]} == {
        "subject-0_case-0001.nii.gz",
        "subject-0_case-0001_0000.nii.gz",
    }


def test_what_is_no_longer_in_the_store_or_moves_leaves_its_old_place(store, tmp_path):
    export(store, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1)
    fewer = reseal(store, lambda r: None if r.id == "case-0000" else r)
    exported.divide(store.path, {"subject-0": "train", "subject-1": "train", "subject-2": "val"})
    export(fewer, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1)
    export(fewer, to="nnunet", out=tmp_path / "Dataset002_Fresh", jobs=1)
    assert contents(tmp_path / "Dataset001_Out") == contents(tmp_path / "Dataset002_Fresh")
    assert not (tmp_path / "Dataset001_Out" / "imagesTs").exists()


def test_another_layout_into_the_same_folder_replaces_the_first(store, tmp_path):
    export(store, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1)
    export(store, to="monai", out=tmp_path / "Dataset001_Out", jobs=1)
    export(store, to="monai", out=tmp_path / "Dataset002_Fresh", jobs=1)
    assert contents(tmp_path / "Dataset001_Out") == contents(tmp_path / "Dataset002_Fresh")


def test_one_damaged_case_stops_the_export_at_its_end_and_the_rest_is_there(store, tmp_path):
    export(store, to="nifti", out=tmp_path / "Dataset002_Fresh", jobs=1)
    backup = tmp_path / "backup"
    shutil.copytree(store.path, backup)
    damage(store.path, "case-0003", "image")
    with pytest.raises(RunError, match="1 cases could not be exported: case-0003"):
        export(Store(store.path), to="nifti", out=tmp_path / "Dataset001_Out", jobs=1)
    assert not (tmp_path / "Dataset001_Out/cases.csv").exists()
    shutil.rmtree(store.path)
    shutil.copytree(backup, store.path)
    done = export(store, to="nifti", out=tmp_path / "Dataset001_Out", jobs=1)
    assert done.written == 1
    assert contents(tmp_path / "Dataset001_Out") == contents(tmp_path / "Dataset002_Fresh")


def test_a_workspace_a_folder_and_an_open_store_are_one(store, tmp_path):
    (tmp_path / "work").mkdir()
    shutil.copytree(store.path, tmp_path / "work/store")
    for n, given in enumerate((store, str(store.path), tmp_path / "work")):
        export(given, to="nifti", out=tmp_path / f"out{n}", jobs=1)
    assert contents(tmp_path / "out0") == contents(tmp_path / "out1") == contents(tmp_path / "out2")


def test_a_refusal_writes_nothing(store, tmp_path):
    with pytest.raises(UnknownPlugin, match="nnunet"):
        export(store, to="nunet", out=tmp_path / "Dataset001_Out")
    with pytest.raises(ConfigError, match="no split"):
        export(store, to="nifti", out=tmp_path / "Dataset001_Out", split="other")
    with pytest.raises(ConfigError, match="no label"):
        export(store, to="nifti", out=tmp_path / "Dataset001_Out", labels=["x"])
    assert not (tmp_path / "Dataset001_Out").exists()


def test_one_label_alone(store, tmp_path):
    export(store, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1, labels=["node"])
    described = json.loads((tmp_path / "Dataset001_Out/dataset.json").read_text())
    assert described["labels"] == {"background": 0, "node": 1, "ignore": 2}


def test_two_files_of_one_name_are_refused():
    plan = exporting.Plan(files={}, documents={"A.json": "", "a.json": ""})
    with pytest.raises(ConfigError, match="two files"):
        exporting._check_paths(plan)
