"""Every target: voxels, types, places, labels and the split come back by nibabel; nothing that is not known is background."""

import csv
import json

import nibabel
import numpy as np
import pytest

from isocenter.base.errors import ConfigError
from isocenter.exports.export import export
from isocenter.exports.selected import select
from isocenter.exports.target import TARGETS, Content
from isocenter.model.task import Task
from tests.contracts import exported

STORES = {
    "plain": exported.plain,
    "two channels": exported.two_channels,
    "nested": exported.nested,
    "detection": lambda root: exported.with_task(root, Task.DETECTION),
    "classification": lambda root: exported.with_task(root, Task.CLASSIFICATION),
}


@pytest.fixture(params=[(to, kind) for to in TARGETS.names() for kind in STORES], ids=" ".join)
def done(request, tmp_path):
    """A store, its export, and the layout it is in; one that the layout cannot hold is refused."""
    to, kind = request.param
    store = STORES[kind](tmp_path / "store")
    try:
        export(store, to=to, out=tmp_path / "Dataset001_Out", jobs=1)
    except ConfigError:
        assert store.manifest.task.task is not Task.SEGMENTATION
        assert not (tmp_path / "Dataset001_Out").exists()
        pytest.skip("the layout has no room for the task, and says so")
    return store, tmp_path / "Dataset001_Out", to


def planned(store, to):
    selected = select(store, store.split(), review="exclude")
    return TARGETS.get(to).plan(selected, lambda: frozenset({("tumour",), ("tumour", "node")}))


def table(path):
    """Rows of a CSV file."""
    return list(csv.DictReader(path.read_text().splitlines()))


def read(path):
    """What nibabel says of a file: values (K, J, I) and affine."""
    image = nibabel.load(path)
    return np.asarray(image.dataobj).T, image.affine


def test_images_come_back_voxel_for_voxel_where_they_were(done):
    store, out, to = done
    plan, seen = planned(store, to), 0
    for case_id, files in plan.files.items():
        case = store[case_id]
        for file in (f for f in files if f.content is Content.IMAGE):
            values, affine = read(out / file.path)
            place = case.channels.index(file.name)
            assert values.dtype == (np.int16 if case.units[place] == "HU" else case.image.dtype)
            np.testing.assert_array_equal(values, np.asarray(case.image[place]))
            np.testing.assert_allclose(affine, case.grid.affine, atol=1e-4)
            seen += 1
    assert seen >= len(plan.files) >= 4


def test_masks_lie_on_the_voxels_of_their_image_and_mark_what_was_marked(done):
    store, out, to = done
    for case_id, files in planned(store, to).files.items():
        case = store[case_id]
        for file in (f for f in files if f.content in {Content.LABELS, Content.LABEL}):
            values, affine = read(out / file.path)
            np.testing.assert_allclose(affine, case.grid.affine, atol=1e-4)
            for place, name in enumerate(("tumour", "node")):
                mask = np.asarray(case.mask)
                there = mask[place] > 0 if mask.ndim == 4 else mask == place + 1
                if file.content is Content.LABEL:
                    found = values == 1 if file.name == name else there
                else:
                    marks = [v for names, v in file.values if name in names]
                    found = np.isin(values, marks)
                    there = there & ~((values == file.ignore) & (file.ignore > 0))
                np.testing.assert_array_equal(found, there)


def test_what_is_not_known_is_never_background(done):
    """Of a label that is not known everywhere a voxel is marked, ignored, or told to be unknown in another file."""
    store, out, to = done
    states = {r["id"]: r for r in table(out / "cases.csv")}
    for case_id, files in planned(store, to).files.items():
        case = store[case_id]
        for label in case.labels:
            if f"label:{label.label}" in states[case_id]:
                assert states[case_id][f"label:{label.label}"] == label.state
        if not any(f.content in {Content.LABELS, Content.LABEL} for f in files):
            continue
        for n, label in enumerate(case.labels):
            mask = np.asarray(case.mask)
            unknown = ~(mask[n] > 0 if mask.ndim == 4 else mask == n + 1)
            unknown &= ~np.asarray(case.known.get(label.label, label.state in {"positive", "negative"}))
            if mask.ndim == 3:  # what has a higher value would have been written over it, in a map of both
                unknown &= ~(mask > n + 1)
            told = np.zeros_like(unknown)
            for file in files:
                values, _ = read(out / file.path) if file.path.endswith(".nii.gz") else (None, None)
                if file.content is Content.LABELS and file.ignore:
                    told |= values == file.ignore
                elif file.content is Content.KNOWN and file.name in {"", label.label}:
                    told |= values == 0
            assert not (unknown & ~told).any(), (case_id, label)


def test_nobody_is_in_two_parts_and_the_split_is_that_of_the_store(done):
    store, out, _ = done
    places = {r.subject: r.partition for r in store.split().rows}
    rows = table(out / "cases.csv")
    assert {r["subject"]: r["partition"] for r in rows} == {s: p for s, p in places.items() if p != "reserve"}
    assert {r["id"] for r in rows} == {i for i in store if places[store[i].subject] != "reserve"}
    assert all(r["case"] == f"{r['subject']}_{r['id']}" for r in rows)


def test_attributes_come_with_their_states(done):
    _, out, _ = done
    rows = table(out / "attributes.csv")
    assert {(r["attribute"], r["value"], r["unit"], r["state"]) for r in rows} == {
        ("age", "61", "years", "known"),
        ("sex", "", "", "withheld"),
    }


def test_every_file_is_in_the_plan_and_every_path_inside(done):
    store, out, to = done
    plan = planned(store, to)
    expected = {f.path for files in plan.files.values() for f in files} | set(plan.documents)
    found = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert found - {".isocenter-export.jsonl"} == expected
    for name in plan.documents:
        if name.endswith(".json"):
            json.loads((out / name).read_text())


def test_the_same_store_makes_the_same_bytes(done, tmp_path):
    store, out, to = done
    export(store, to=to, out=tmp_path / "Dataset002_Again", jobs=2)
    one, other = (
        {p.relative_to(r): p.read_bytes() for p in r.rglob("*") if p.is_file()}
        for r in (out, tmp_path / "Dataset002_Again")
    )
    assert one == other
