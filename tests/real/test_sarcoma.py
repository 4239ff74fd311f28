"""The main job on twelve real patients: CT, PET, MR and CT + PET cohorts that differ in their config alone."""

import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.model.rows import FileRow, PlannedCase, Stack

pytestmark = pytest.mark.real

PATIENTS = {f"STS_{n:03}" for n in (2, 3, 8, 12, 15, 18, 24, 25, 32, 35, 41, 43)}
PATCH = (192, 256, 256)
# NIfTI images (made by another tool) exist for these of the twelve.
WITH_IMAGES = {"STS_008", "STS_025"}
COHORTS = {
    "CT": ({"ct": {"modality": "CT"}}, "GTV_Mass_CT"),
    "PET": ({"pet": {"modality": "PT"}}, "GTV_Mass_PET"),
    "MR_T1": ({"t1": {"modality": "MR"}}, "GTV_Mass_MR_T1"),
    "CT+PET": ({"ct": {"modality": "CT"}, "pet": {"modality": "PT"}}, "GTV_Mass_CT"),
}


def write_config(folder: Path, root: Path, what: str) -> Path:
    """One cohort; only channels and the name of the label differ."""
    channels, name = COHORTS[what]
    document = {
        "name": "sarcoma",
        "task": "segmentation",
        "sources": [{"path": str(root / "dicom"), "site": "archive"}],
        "channels": channels,
        "labels": {"tumour": {"aliases": [name]}},
        "annotations": [{"kind": "objects"}],
        "standardise": {"hu_range": None},
        "executor": {"kind": "processes", "jobs": 2},
        "workspace": "work",
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_yaml(folder / "cohort.yaml", document)
    return folder / "cohort.yaml"


@pytest.fixture(scope="module")
def root(real_data):
    return real_data / "rtstruct_ct_pet_mr_IBSI"


@pytest.fixture(scope="module")
def indexed(root, tmp_path_factory):
    """A workspace that knows the files, to be copied by every cohort."""
    folder = tmp_path_factory.mktemp("sarcoma")
    return iso.run(write_config(folder, root, "CT"), until="index").workspace


@pytest.fixture(scope="module", params=COHORTS)
def cohort(request, root, indexed, tmp_path_factory):
    """One of the cohorts, run."""
    folder = tmp_path_factory.mktemp("cohort")
    shutil.copytree(indexed, folder / "work")
    run = iso.run(write_config(folder, root, request.param), until="split")
    assert run.stages[0].state == "fresh"
    return request.param, run


def patients_of(workspace: Path) -> dict[str, str]:
    """Folder of the patient by case, through the private tables of the index."""
    paths = {f.file_id: f.path for f in tables.read(workspace / "index/files.parquet", FileRow)}
    first = {s.id: paths[s.files[0]] for s in tables.read(workspace / "index/stacks.parquet", Stack)}
    cases = tables.read(workspace / "enrol/cases.parquet", PlannedCase)
    return {c.id: first[c.channels[0].stack].partition("/")[0] for c in cases}


def canonical(path: Path) -> np.ndarray:
    """Voxels (K, J, I) of a NIfTI file in nibabel's closest canonical orientation."""
    return np.asarray(nibabel.as_closest_canonical(nibabel.load(path)).dataobj).T


def test_twelve_cases_and_no_gate(cohort):
    _, run = cohort
    assert run.gate is None
    assert run.counts["cases_packed"] == 12
    assert run.counts["cases_reject"] == 0
    assert set(patients_of(run.workspace).values()) == PATIENTS


def test_every_mask_equals_that_of_another_tool(cohort, root):
    """With no differing voxel."""
    what, run = cohort
    image = what.partition("+")[0]
    store = iso.open(run.store)
    patients = patients_of(run.workspace)
    compared = {}
    for case_id, case in store.items():
        expected = canonical(root / "nifti" / patients[case_id] / f"{image}_mask.nii.gz")
        mask = np.asarray(case.mask)
        assert mask.shape == expected.shape
        compared[patients[case_id]] = np.count_nonzero((mask > 0) != (expected > 0))
        assert np.count_nonzero(mask) > 300
    assert compared == dict.fromkeys(PATIENTS, 0)


def test_every_image_equals_that_of_another_tool(cohort, root):
    what, run = cohort
    image = what.partition("+")[0]
    patients = patients_of(run.workspace)
    compared = set()
    for case_id, case in iso.open(run.store).items():
        patient = patients[case_id]
        if patient in WITH_IMAGES:
            file = nibabel.as_closest_canonical(
                nibabel.load(root / "nifti" / patient / f"{image}_image.nii.gz")
            )
            expected = np.asarray(file.dataobj).T
            assert np.allclose(np.asarray(case.image)[0], expected, rtol=1e-5, atol=1e-3)
            assert np.allclose(case.grid.affine, file.affine, atol=1e-3)
            compared.add(patient)
    assert compared == WITH_IMAGES


def test_units_types_and_channels_are_those_of_the_modality(cohort):
    what, run = cohort
    for case in iso.open(run.store).values():
        expected = {
            "CT": (("ct",), ("HU",), np.int16),
            "PET": (("pet",), ("SUVbw",), np.float32),
            "CT+PET": (("ct", "pet"), ("HU", "SUVbw"), np.float32),
        }.get(what)
        if expected:
            assert (case.channels, case.units, case.image.dtype) == expected
        assert case.image.shape == (len(case.channels), *case.grid.shape)


def test_both_channels_are_on_the_grid_of_the_first(cohort):
    """Uptake lies where there is a body, not in the air around it."""
    what, run = cohort
    if what != "CT+PET":
        assert len(run.counts) > 0
        return
    for case in iso.open(run.store).values():
        ct, pet = np.asarray(case.image)
        assert pet.max() > 1
        assert (ct[pet > 0.5 * pet.max()] > -500).mean() > 0.9


def test_a_patch_larger_than_a_volume_is_padded(cohort):
    """With background, evenly on both sides, and `valid` is 0 there."""
    what, run = cohort
    dataset = iso.dataset(run.store, "train", patch=PATCH, normalise="none", framework="numpy")
    store = iso.open(run.store)
    store = iso.open(run.store)
    background = {"CT": (-1024,), "CT+PET": (-1024, 0)}.get(what, (0,))
    seen = 0
    for sample in dataset:
        case = store[sample["case"]]
        image, valid = np.asarray(sample["image"]), np.asarray(sample["valid"]).reshape(PATCH)
        assert image.shape == (len(case.channels), *PATCH)
        missing = np.array(PATCH) - case.grid.shape
        if missing.min() < 0:
            continue
        seen += 1
        before = missing // 2
        pads = [(int(b), int(m - b)) for b, m in zip(before, missing, strict=True)]
        own = np.ones(case.grid.shape, bool) if case.valid is None else np.asarray(case.valid) > 0
        assert np.array_equal(valid > 0, np.pad(own, pads))
        for n, value in enumerate(background):
            expected = np.pad(np.asarray(case.image)[n], pads, constant_values=value)
            assert np.array_equal(image[n], expected)
    assert seen >= 5
