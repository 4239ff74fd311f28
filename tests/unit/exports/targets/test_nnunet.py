import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from benchmarks.index.peers import interpreter
from isocenter.base.errors import ConfigError
from isocenter.exports.export import export
from isocenter.exports.selected import select
from isocenter.exports.targets import nnunet
from isocenter.model.task import Channel
from isocenter.pipeline.foreign_nnunet import read_nnunet
from isocenter.stores.manifest import read_manifest, write_manifest
from isocenter.stores.store import Store
from tests.contracts import exported

PEERS = Path(__file__).parents[4] / "benchmarks/resample/peers"
ASK = """
import sys
from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity
if __name__ == "__main__":
    for folder in sys.argv[1:]:
        verify_dataset_integrity(folder, 1)
"""


def made(store, out, **more):
    export(store, to="nnunet", out=out, jobs=1, **more)
    return json.loads((out / "dataset.json").read_text())


def sheared(root):
    """One case whose slices lie as a tilted gantry leaves them."""
    cases = [exported.case_of(n) for n in range(6)]
    cases[1] = replace(cases[1], grid=replace(cases[1].grid, affine=exported.SHEARED))
    return Store(exported.built(root, cases))


KINDS = {
    "plain": exported.plain,
    "two-channels": exported.two_channels,
    "nested": exported.nested,
    "sheared": sheared,
}


@pytest.mark.skipif(
    "ISOCENTER_PEERS" not in os.environ, reason="nnU-Net has an environment of its own: ISOCENTER_PEERS"
)
@pytest.mark.parametrize("kind", KINDS)
def test_nnunet_itself_finds_nothing_wrong(kind, tmp_path):
    export(KINDS[kind](tmp_path / "store"), to="nnunet", out=tmp_path / "Dataset001_Test", jobs=1)
    (tmp_path / "ask.py").write_text(ASK)
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    places = {n: str(tmp_path) for n in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")}
    done = subprocess.run(
        [interpreter("nnunet", lists=PEERS), "ask.py", "Dataset001_Test"],
        cwd=tmp_path,
        env=clean | places,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "verify_dataset_integrity Done" in done.stdout
    assert not [line for line in done.stdout.splitlines() if "rror:" in line or "arning:" in line]


def test_labels_are_consecutive_and_the_stored_values_are_kept(tmp_path):
    store = exported.plain(tmp_path / "store")
    manifest = read_manifest(store.path)
    labels = {n: replace(v, value=10 * v.value) for n, v in manifest.task.labels.items()}
    write_manifest(store.path, replace(manifest, task=replace(manifest.task, labels=labels)))
    selected = select(Store(store.path), store.split(), review="exclude")
    described = json.loads(nnunet.plan(selected, frozenset).documents["dataset.json"])
    assert described["labels"] == {"background": 0, "tumour": 1, "node": 2, "ignore": 3}
    assert described["isocenter"]["label_values"] == {"tumour": 10, "node": 20}


def test_nothing_is_ignored_where_all_is_known(tmp_path):
    store = exported.two_channels(tmp_path / "store")
    assert "ignore" not in made(store, tmp_path / "Dataset001_Out")["labels"]


def test_what_is_not_known_is_ignored(tmp_path):
    store = exported.plain(tmp_path / "store")
    exported.divide(store.path, {f"subject-{n}": "train" for n in range(3)})
    described = made(store, tmp_path / "Dataset001_Out")
    assert described["numTraining"] == 6
    labels = np.asarray(
        nibabel.load(tmp_path / "Dataset001_Out/labelsTr/subject-1_case-0003.nii.gz").dataobj
    ).T
    case = store["case-0003"]
    mask = np.asarray(case.mask)
    is_known = np.asarray(case.known["node"]) | (mask == 2)
    np.testing.assert_array_equal(labels == 3, ~is_known)
    np.testing.assert_array_equal(labels[is_known], mask[is_known])


def test_a_case_of_which_nothing_could_be_learned_is_left_out_and_told(tmp_path):
    cases = [exported.case_of(n, "positive", "unknown" if n == 0 else "positive") for n in range(6)]
    store = Store(exported.built(tmp_path / "store", cases))
    done = export(store, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1)
    assert sum(done.cases.values()) == 5
    assert [(n, "nobody looked" in why) for why, n in done.left_out.items()] == [(1, True)]
    alone = export(store, to="nnunet", out=tmp_path / "Dataset002_Tumour", jobs=1, labels=["tumour"])
    assert (sum(alone.cases.values()), alone.left_out) == (6, {})


def test_labels_inside_each_other_are_regions(tmp_path):
    described = made(exported.nested(tmp_path / "store"), tmp_path / "Dataset001_Out")
    assert described["labels"] == {"background": 0, "tumour": [1, 2], "node": 2, "ignore": 3}
    assert list(described["labels"])[1:3] == ["tumour", "node"]
    assert described["regions_class_order"] == [1, 2]


def test_labels_that_overlap_in_part_are_refused_and_nothing_is_written(tmp_path):
    cases = [exported.layered(exported.case_of(n)) for n in range(6)]
    cases[2].mask[1, 9] = 1
    store = exported.overlapping(exported.built(tmp_path / "store", cases))
    with pytest.raises(ConfigError, match="overlap in ways that one label map cannot carry"):
        export(store, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1)
    assert not (tmp_path / "Dataset001_Out").exists()


@pytest.mark.parametrize("name", ["ignore", "background", "Ignore"])
def test_a_label_with_a_word_of_nnunet_is_refused(name, tmp_path):
    store = exported.plain(tmp_path / "store")
    selected = replace(select(store, store.split(), review="exclude"), labels=(name,))
    with pytest.raises(ConfigError, match="keeps for itself"):
        nnunet.plan(selected, frozenset)


@pytest.mark.parametrize(
    ("name", "channel", "expected"),
    [
        ("chest", Channel(modality="CT"), "CT"),
        ("ct", Channel(modality="CT"), "CT"),
        ("t2", Channel(modality="MR"), "t2"),
        ("ct", Channel(modality="MR"), "MR"),
        ("NoNorm", Channel(modality="MR"), "MR"),
        ("dose", Channel(modality="RTDOSE", normalise="none"), "noNorm"),
    ],
)
def test_a_channel_is_named_as_nnunet_scales_it(name, channel, expected):
    assert nnunet._channel(name, channel) == expected


def test_folds_are_those_of_the_split_and_nobody_is_in_two(tmp_path):
    cases = [exported.case_of(n) for n in range(12)]
    store = Store(exported.built(tmp_path / "store", cases))
    exported.divide(store.path, {f"subject-{n}": f"fold-{n % 3}" if n < 5 else "test" for n in range(6)})
    made(store, tmp_path / "Dataset001_Out")
    folds = json.loads((tmp_path / "Dataset001_Out/splits_final.json").read_text())
    assert len(folds) == 3
    names = {c for fold in folds for part in fold.values() for c in part}
    assert len(names) == 10
    for fold in folds:
        train, val = ({c.partition("_")[0] for c in fold[p]} for p in ("train", "val"))
        assert not train & val
        assert {*fold["train"], *fold["val"]} == names
    assert len(list((tmp_path / "Dataset001_Out/imagesTs").iterdir())) == 2
    found = read_nnunet(tmp_path / "Dataset001_Out", "{subject}_{case}")
    assert [s.name for s in found.splits] == ["fold-0", "fold-1", "fold-2", "imagesTr-imagesTs"]
    assert {i.subject for i in found.images.values()} == {f"subject-{n}" for n in range(6)}


def test_a_split_without_a_part_to_validate_on_is_told(tmp_path):
    store = exported.plain(tmp_path / "store")
    exported.divide(store.path, {"subject-0": "train", "subject-1": "train", "subject-2": "test"})
    done = export(store, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1)
    assert not (tmp_path / "Dataset001_Out/splits_final.json").exists()
    assert any("may share subjects" in n for n in done.notes)


def test_a_test_part_alone_cannot_train(tmp_path):
    store = exported.plain(tmp_path / "store")
    exported.divide(store.path, {f"subject-{n}": "test" for n in range(3)})
    with pytest.raises(ConfigError, match="cases to train on"):
        export(store, to="nnunet", out=tmp_path / "Dataset001_Out", jobs=1)


def test_a_sheared_grid_is_read_by_nibabel_for_itk_refuses_it(tmp_path):
    described = made(sheared(tmp_path / "store"), tmp_path / "Dataset001_Out")
    assert described["overwrite_image_reader_writer"] == "NibabelIO"
    path = tmp_path / "Dataset001_Out/imagesTr/subject-0_case-0001_0000.nii.gz"
    with pytest.raises(RuntimeError, match="orthonormal"):
        SimpleITK.ReadImage(str(path))
    assert SimpleITK.ReadImage(str(path.with_name("subject-0_case-0000_0000.nii.gz"))).GetSize() == (
        36,
        40,
        12,
    )
    assert "overwrite_image_reader_writer" not in made(
        exported.plain(tmp_path / "other"), tmp_path / "Dataset002_Out"
    )


@pytest.mark.parametrize(
    "name", ["NoName", "Dataset1_Lung", "Dataset101", "Dataset101_", "dataset101_Lung", "XDataset101_Lung"]
)
def test_a_folder_that_nnunet_would_not_find_is_refused_before_anything_is_written(name, tmp_path):
    store = exported.nested(tmp_path / "store")
    with pytest.raises(ConfigError, match=f"DatasetNNN_Name.*{name}"):
        export(store, to="nnunet", out=tmp_path / name, jobs=1)
    assert not (tmp_path / name).exists()
