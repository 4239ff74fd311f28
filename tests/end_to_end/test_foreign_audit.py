"""Data sets that others divided: planted leaks are all found, by the rule that is meant for them, and clean ones pass."""

import json

import nibabel as nib
import numpy as np
import pytest

import isocenter as iso
from isocenter.base import seeds
from isocenter.cli.main import main
from isocenter.model.grid import Grid
from isocenter.testing.copies import LISTED
from isocenter.testing.simulate import phantom
from isocenter.testing.simulate.builds import individual
from isocenter.testing.simulate.lattice import AXIAL, Lattice

SHAPE, SPACING_MM = (48, 88, 88), (4.0, 4.2, 4.2)
PATIENTS = 18
AFFINE = np.diag([*SPACING_MM[::-1], 1.0])


def patient(number):
    """Hounsfield units (K, J, I) of a simulated patient, and where the lesions are."""
    stream = seeds.stream(11, "foreign", number)
    coverage = tuple(n * s for n, s in zip(SHAPE[::-1], SPACING_MM[::-1], strict=True))
    anatomy = phantom.patient(stream, lesions=number % 2, steps_mm=SPACING_MM[::-1], coverage_mm=coverage)
    anatomy = individual(anatomy, seeds.stream(11, "build", number))
    lattice = Lattice.around(anatomy.middle, AXIAL, SPACING_MM, SHAPE)
    return phantom.hounsfield(phantom.image(anatomy, lattice, stream))


GRID = Grid(SHAPE, AFFINE)


def same(values, grid):
    return values, grid


LEAKS = {"the same file": same, **LISTED}


def write(path, image):
    values, grid = image
    made = nib.Nifti1Image(np.ascontiguousarray(values.T), grid.affine)
    made.header.set_data_dtype(values.dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(made, path)


@pytest.fixture(scope="module")
def people():
    return [patient(n) for n in range(PATIENTS)]


@pytest.fixture(scope="module")
def clean(people, tmp_path_factory):
    """A raw data set of nnU-Net: fold 0 holds the last six out."""
    root = tmp_path_factory.mktemp("nnunet") / "Dataset007_Clean"
    for n, values in enumerate(people):
        write(root / f"imagesTr/case_{n:02}_0000.nii.gz", same(values, GRID))
        write(root / f"labelsTr/case_{n:02}.nii.gz", ((values > 300).astype(np.uint8), GRID))
    described = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "bone": 1},
        "file_ending": ".nii.gz",
    }
    (root / "dataset.json").write_text(json.dumps(described))
    names = [f"case_{n:02}" for n in range(PATIENTS)]
    (root / "splits_final.json").write_text(json.dumps([{"train": names[:10], "val": names[10:]}]))
    return root


def test_a_clean_folder_passes(clean):
    found = iso.audit(clean, jobs=1)
    assert found.passed, found.issues
    assert found.pairs == ()
    assert "images compared by their pixels: 18" in found.notes
    assert {(p.partition, p.label, p.positive) for p in found.table} == {
        ("train", "bone", 10),
        ("val", "bone", 8),
    }


@pytest.fixture(scope="module")
def planted(people, tmp_path_factory):
    """One patient of the training part for every way of copying, whose copy is in the validation part."""
    root = tmp_path_factory.mktemp("nnunet") / "Dataset008_Planted"
    for n, values in enumerate(people):
        write(root / f"imagesTr/case_{n:02}_0000.nii.gz", same(values, GRID))
    for n, name in enumerate(sorted(LEAKS)):
        write(root / f"imagesTr/copy_{n:02}_0000.nii.gz", LEAKS[name](people[n], GRID))
    described = {"channel_names": {"0": "CT"}, "labels": {"background": 0}, "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(described))
    train = [f"case_{n:02}" for n in range(PATIENTS)]
    val = [f"copy_{n:02}" for n in range(len(LEAKS))]
    (root / "splits_final.json").write_text(json.dumps([{"train": train, "val": val}]))
    return iso.audit(root, jobs=1)


def test_all_planted_copies_are_found_and_nothing_else(planted):
    """Recall and precision are 1."""
    expected = {
        (f"imagesTr/case_{n:02}_0000.nii.gz", f"imagesTr/copy_{n:02}_0000.nii.gz") for n in range(len(LEAKS))
    }
    assert {(p.a, p.b) for p in planted.pairs} == expected
    assert not planted.passed


@pytest.mark.parametrize("number", range(len(LEAKS)), ids=sorted(LEAKS))
def test_a_planted_copy_is_told_by_its_rule(planted, number):
    leak = sorted(LEAKS)[number]
    where = f"case_{number:02} in train, copy_{number:02} in val"
    rules = {i.rule for i in planted.issues if i.measured == where and i.severity == "reject"}
    if leak == "the same file":
        assert rules == {"split/same-pixels"}
    elif leak.startswith("mirrored"):
        assert rules == {"split/mirrored-or-cropped-twin"}
    else:
        assert len(rules) == 1
        assert rules <= {"split/same-pixels", "split/near-duplicate", "split/mirrored-or-cropped-twin"}


def test_a_table_of_files_with_planted_leaks_fails_by_exit_code(people, tmp_path, capsys):
    lines = ["path,subject,partition,label"]
    for n, values in enumerate(people[:8]):
        write(tmp_path / f"p{n}.nii.gz", same(values, GRID))
        lines.append(f"p{n}.nii.gz,s{n},{'train' if n < 5 else 'test'},")
    table = tmp_path / "split.csv"
    table.write_text("\n".join(lines))
    assert code(["audit", str(table), "-j", "1"]) == 0
    write(tmp_path / "copy.nii.gz", LISTED["mirrored along i"](people[0], GRID))
    table.write_text("\n".join([*lines, "copy.nii.gz,s99,test,", "p1.nii.gz,s1,test,"]))
    capsys.readouterr()
    assert code(["audit", str(table), "-j", "1", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    rules = {i["rule"] for i in found["issues"] if i["severity"] == "reject"}
    assert {"split/mirrored-or-cropped-twin", "split/subject-in-two-partitions"} <= rules
    assert ("copy.nii.gz", "p0.nii.gz") in {(p["a"], p["b"]) for p in found["pairs"]}


def code(words):
    with pytest.raises(SystemExit) as caught:
        main(words)
    return caught.value.code
