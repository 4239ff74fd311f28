import json

import numpy as np
import pytest

from isocenter.exports.export import export
from isocenter.model.task import Task
from isocenter.pipeline.foreign_monai import is_monai, read_monai
from isocenter.stores.store import Store
from tests.contracts import exported


def made(store, out):
    export(store, to="monai", out=out, jobs=1)
    return json.loads((out / "datalist.json").read_text())


def test_lists_are_the_parts_of_the_split_and_files_are_there(tmp_path):
    store = exported.plain(tmp_path / "store")
    found = made(store, tmp_path / "out")
    assert [len(found[n]) for n in ("training", "validation", "testing")] == [2, 2, 2]
    assert (found["numTraining"], found["numTest"]) == (4, 2)
    assert found["labels"] == {"0": "background", "1": "tumour", "2": "node"}
    for entry in [e for n in ("training", "validation", "testing") for e in found[n]]:
        assert (tmp_path / "out" / entry["image"]).is_file()
        assert (tmp_path / "out" / entry["label"]).is_file()
        case = store[entry["id"]]
        assert case.subject == entry["subject"]
        assert ("known" in entry) == any(s.state not in {"positive", "negative"} for s in case.labels)


def test_folds_stand_in_the_entries(tmp_path):
    store = Store(exported.built(tmp_path / "store", [exported.case_of(n) for n in range(8)]))
    exported.divide(store.path, {f"subject-{n}": f"fold-{n % 3}" if n < 3 else "test" for n in range(4)})
    found = made(store, tmp_path / "out")
    assert {e["subject"]: e["fold"] for e in found["training"]} == {f"subject-{n}": n for n in range(3)}
    assert all("fold" not in e for e in found["testing"])
    again = read_monai(tmp_path / "out/datalist.json", "{subject}_{case}")
    assert [s.name for s in again.splits] == ["fold-0", "fold-1", "fold-2"]


def test_our_own_audit_reads_whose_they_are(tmp_path):
    made(exported.plain(tmp_path / "store"), tmp_path / "out")
    assert is_monai(tmp_path / "out/datalist.json")
    found = read_monai(tmp_path / "out/datalist.json", "{subject}")
    assert {i.subject for i in found.images.values()} == {f"subject-{n}" for n in range(3)}


def test_several_channels_and_labels_that_overlap_are_lists(tmp_path):
    two = made(exported.two_channels(tmp_path / "two"), tmp_path / "a")["training"][0]
    assert [n.rpartition("_")[2] for n in two["image"]] == ["ct.nii.gz", "pet.nii.gz"]
    nested = made(exported.nested(tmp_path / "nested"), tmp_path / "b")
    assert [n.rpartition("_")[2] for n in nested["training"][0]["label"]] == ["tumour.nii.gz", "node.nii.gz"]
    assert nested["labels"] == {"1": "tumour", "2": "node"}
    assert len(nested["testing"][1]["known"]) == 2


def test_boxes_are_in_millimetres_with_the_number_of_their_label(tmp_path):
    store = exported.with_task(tmp_path / "store", Task.DETECTION)
    found = made(store, tmp_path / "out")
    entry = found["training"][0]
    np.testing.assert_array_equal(entry["box"], store[entry["id"]].boxes)
    assert (entry["label"], entry["known"]) == ([0], [1, 1])
    assert (found["labels"], found["isocenter"]["box"]) == (
        {"0": "tumour", "1": "node"},
        "xyzxyz, RAS+ millimetres",
    )
    assert found["testing"][1]["known"] == [1, 0]


def test_classes_are_ones_and_zeros_and_whether_they_are_known(tmp_path):
    store = exported.with_task(tmp_path / "store", Task.CLASSIFICATION)
    found = made(store, tmp_path / "out")
    assert [(e["label"], e["known"]) for e in found["testing"]] == [([1, 0], [1, 1]), ([1, 0], [1, 0])]


@pytest.mark.parametrize("kind", [exported.plain, exported.two_channels])
def test_no_path_is_absolute(kind, tmp_path):
    made(kind(tmp_path / "store"), tmp_path / "out")
    assert str(tmp_path) not in (tmp_path / "out/datalist.json").read_text()
