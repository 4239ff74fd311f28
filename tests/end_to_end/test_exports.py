"""From an archive to a store, out to another tool's layout, and back in: the same cases, voxels, people and parts."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest

import isocenter as iso
from isocenter.cli.main import main
from tests.end_to_end import cohorts

LABELS = {"lesion": {"value": 1}, "heart": {"value": 2}}
PLACES = {
    "nnunet": {"image": "images*/{case}_0000.nii.gz", "annotation": {"kind": "layout"}},
    "monai": {
        "image": "images/{case}_ct.nii.gz",
        "subject": "*/{subject}_*",
        "annotation": {
            "kind": "masks",
            "rater": "us",
            "path": "labels/{case}.nii.gz",
            "image": "images/{case}_ct.nii.gz",
        },
    },
    "nifti": {
        "image": "{subject}/{case}/image_ct.nii.gz",
        "subject": "{subject}/*/*",
        "annotation": {
            "kind": "masks",
            "rater": "us",
            "path": "{subject}/{case}/mask.nii.gz",
            "image": "{subject}/{case}/image_ct.nii.gz",
        },
    },
}


@pytest.fixture(scope="module", params=PLACES)
def back(request, segmented, tmp_path_factory):
    """The segmentation cohort, exported and made into a store again."""
    to, folder = request.param, tmp_path_factory.mktemp("back")
    store = iso.open(segmented.root)
    done = iso.export(store, to=to, out=folder / "Dataset001_Back", jobs=1)
    place = PLACES[to]
    source = {"path": str(folder / "Dataset001_Back"), "site": "back"}
    if to == "nnunet":
        table = str(folder / "Dataset001_Back/cases.csv")
        source |= {"layout": "nnunet", "subject": {"table": table, "key": "case", "column": "subject"}}
    else:
        source |= {"subject": {"pattern": [place["subject"]]}}
    document = {
        "name": "back",
        "task": "segmentation",
        "sources": [source],
        "channels": {"ct": {"modality": "CT", "path": [place["image"]]}},
        "labels": LABELS,
        "annotations": [place["annotation"]],
        "standardise": {"hu_range": None, "orientation": "native"},
        "split": {"fractions": {"train": 0.5, "val": 0.5}},
        "screen": {"stop_at_rejected_share": 0.9},
        "executor": {"kind": "serial"},
    }
    ran = iso.run(cohorts.written(folder / "again", document))
    table = list(csv.DictReader((folder / "Dataset001_Back/cases.csv").read_text().splitlines()))
    return SimpleNamespace(
        to=to,
        store=store,
        done=done,
        folder=folder / "Dataset001_Back",
        run=ran,
        again=iso.open(ran.store),
        table=table,
    )


def voxels(case):
    """What tells a case whoever names it: its image."""
    return np.asarray(case.image[0]).tobytes()


def test_every_case_comes_back_voxel_for_voxel_with_its_masks(back):
    exported = {voxels(back.store[r["id"]]): back.store[r["id"]] for r in back.table}
    assert len(exported) == len(back.table) == sum(back.done.cases.values()) > 10
    found = {voxels(back.again[i]): back.again[i] for i in back.again}
    without = {v for v, c in exported.items() if {s.state for s in c.labels} - {"positive", "negative"}}
    assert set(found) <= set(exported)
    assert set(exported) - set(found) <= without
    for image, case in found.items():
        before = exported[image]
        np.testing.assert_allclose(case.grid.affine, before.grid.affine, atol=1e-4)
        mask, known = np.asarray(case.mask), np.asarray(before.mask)
        if image not in without:
            np.testing.assert_array_equal(mask, known)


def test_the_same_people_are_the_same_people(back):
    pairs = {
        (back.store[r["id"]].subject, again.subject)
        for r in back.table
        for again in (back.again[i] for i in back.again)
        if voxels(back.store[r["id"]]) == voxels(again)
    }
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs) > 5


def test_the_audit_of_what_was_written_finds_the_same_people_and_no_leak(back):
    if back.to == "nifti":
        columns = {"path": "path", "subject": "subject", "partition": "partition"}
        table = back.folder.parent / "list.csv"
        images = [
            (f"{r['subject']}/{r['id']}/image_ct.nii.gz", r["subject"], r["partition"]) for r in back.table
        ]
        with table.open("w", newline="") as file:
            csv.writer(file).writerows([columns.values(), *images])
        found = iso.audit(table, images=back.folder, jobs=1)
    else:
        place = back.folder if back.to == "nnunet" else back.folder / "datalist.json"
        found = iso.audit(place, subject="{subject}_{case}", jobs=1)
    assert found.passed, [i.message for i in found.issues]
    before = iso.audit(back.store.path.parent, jobs=1)
    assert before.passed
    counted = {c.partition: c.subjects for c in found.counts if not c.split.startswith("fold")}
    parts = {p: {r["subject"] for r in back.table if r["partition"] == p} for p in ("train", "val", "test")}
    if back.to == "nnunet":
        assert counted == {"train": len(parts["train"] | parts["val"]), "test": len(parts["test"])}
    else:
        assert counted == {p: len(s) for p, s in parts.items() if s}


def test_the_command_says_what_it_wrote_and_goes_on(segmented, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [
        "export",
        str(segmented.root),
        "--to",
        "nnunet",
        "--out",
        "Dataset002_Ours",
        "--jobs",
        "1",
        "--json",
    ]
    said = []
    for _ in range(2):
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 0
        said.append(json.loads(capsys.readouterr().out))
    first, again = said
    assert (first["folder"], first["target"]) == ("Dataset002_Ours", "nnunet")
    assert (first["written"], again["written"]) == (sum(first["cases"].values()), 0)
    assert {p.name for p in (tmp_path / "Dataset002_Ours").iterdir()} >= {
        "dataset.json",
        "imagesTr",
        "labelsTr",
    }


@pytest.mark.parametrize("kind", ["detected", "classified"])
def test_what_nnunet_cannot_learn_is_refused_and_told_where_to_go(kind, request, tmp_path, capsys):
    run = request.getfixturevalue(kind)
    with pytest.raises(SystemExit) as left:
        main(["export", str(run.root), "--to", "nnunet", "--out", str(tmp_path / "out")])
    assert left.value.code == 2
    assert "export to monai or nifti" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    done = iso.export(run.root, to="monai", out=tmp_path / "out", jobs=1)
    assert sum(done.cases.values()) == len(iso.open(run.root))
