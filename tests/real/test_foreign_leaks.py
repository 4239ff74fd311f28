"""Real CT that others divided: copies under another ID on the other side are found, a clean data set passes."""

import json

import nibabel as nib
import numpy as np
import pytest

import isocenter as iso
from isocenter.model.grid import Grid
from isocenter.testing.copies import LISTED

pytestmark = pytest.mark.real

LEAKS = {
    "resampled, larger pixels": "split/near-duplicate",
    "mirrored along i": "split/mirrored-or-cropped-twin",
    "crop of 20 %, all axes": "split/mirrored-or-cropped-twin",
    "window of the darker 75 %": "split/near-duplicate",
    "rotated by 8 degrees": "split/near-duplicate",
}


@pytest.fixture(scope="module")
def images(real_data):
    """CT of eight patients, every third pixel of a plane: quick, and still a real scan."""
    root = real_data / "rtstruct_ct_pet_mr_IBSI" / "dicom"
    volumes = [iso.read(p / "CT").volume for p in sorted(root.iterdir())[:8]]
    out = []
    for volume in volumes:
        array = np.ascontiguousarray(volume.array[:, ::3, ::3])
        affine = volume.grid.affine.copy()
        affine[:3, :2] *= 3
        out.append((array, Grid(array.shape, affine)))
    return out


def write(path, image):
    values, grid = image
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.ascontiguousarray(values.T), grid.affine, dtype=values.dtype), path)


@pytest.fixture(scope="module")
def nnunet(images, tmp_path_factory):
    """A raw data set whose fold holds the last three patients out."""
    root = tmp_path_factory.mktemp("nnunet") / "Dataset021_Sarcoma"
    for n, image in enumerate(images):
        write(root / f"imagesTr/sts_{n:03}_0000.nii.gz", image)
    described = {"channel_names": {"0": "CT"}, "labels": {"background": 0}, "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(described))
    return root


def divided(root, train, val):
    (root / "splits_final.json").write_text(json.dumps([{"train": train, "val": val}]))
    return iso.audit(root, jobs=1)


def test_a_clean_folder_passes_and_every_planted_leak_is_found_by_its_rule(nnunet, images):
    """First as it is, then with five copies of people who are trained on, under other names, in the fold's val."""
    cases = [f"sts_{n:03}" for n in range(len(images))]
    clean = divided(nnunet, cases[:5], cases[5:])
    assert clean.passed, clean.issues
    assert (clean.pairs, clean.compared) == ((), 8)
    for n, kind in enumerate(LEAKS):
        write(nnunet / f"imagesTr/new_{n:03}_0000.nii.gz", LISTED[kind](*images[n]))
    copies = [f"new_{n:03}" for n in range(len(LEAKS))]
    found = divided(nnunet, cases[:5], cases[5:] + copies)
    assert not found.passed
    wanted = {
        (f"imagesTr/new_{n:03}_0000.nii.gz", f"imagesTr/sts_{n:03}_0000.nii.gz") for n in range(len(LEAKS))
    }
    assert {(p.a, p.b) for p in found.pairs} == wanted
    told = {(i.measured, i.rule) for i in found.issues if i.severity == "reject"}
    assert told == {
        (f"new_{n:03} in val, sts_{n:03} in train", rule) for n, rule in enumerate(LEAKS.values())
    }


def test_a_table_of_the_same_images_fails_with_one_leak_and_passes_without(images, tmp_path):
    lines = ["path,subject,partition"]
    for n, image in enumerate(images[:5]):
        write(tmp_path / f"p{n}.nii.gz", image)
        lines.append(f"p{n}.nii.gz,person-{n},{'train' if n < 3 else 'test'}")
    table = tmp_path / "split.csv"
    table.write_text("\n".join(lines))
    assert iso.audit(table, jobs=1).passed
    write(tmp_path / "copy.nii.gz", LISTED["crop of 20 %, one end"](*images[1]))
    table.write_text("\n".join([*lines, "copy.nii.gz,person-77,test"]))
    found = iso.audit(table, jobs=1)
    assert {(i.rule, i.severity) for i in found.issues if i.severity == "reject"} == {
        ("split/mirrored-or-cropped-twin", "reject")
    }
    assert [(p.a, p.b, p.kind) for p in found.pairs] == [("copy.nii.gz", "p1.nii.gz", "cropped")]
