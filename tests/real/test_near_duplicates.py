"""Planted copies of real images are found, and no two people are taken for one."""

import numpy as np
import pytest

import isocenter as iso
from isocenter.imaging.descriptor import descriptor_of
from isocenter.stages.audit.near_duplicates import pairs
from isocenter.testing.copies import LISTED

pytestmark = pytest.mark.real

MODALITIES = ("CT", "PET", "MR_T1")


@pytest.fixture(scope="module")
def images(real_data):
    """Twelve patients by three modalities."""
    root = real_data / "rtstruct_ct_pet_mr_IBSI" / "dicom"
    folders = {f"{p.name} {m}": p / m for p in sorted(root.iterdir()) for m in MODALITIES}
    return {name: iso.read(folder).volume for name, folder in folders.items()}


@pytest.fixture(scope="module")
def descriptors(images):
    return {name: descriptor_of(v.array, v.grid, valid=v.valid) for name, v in images.items()}


def test_no_two_of_the_twelve_are_one(descriptors):
    """Neither two people, nor two modalities of one person."""
    assert len(descriptors) == 36
    assert pairs(descriptors) == []


@pytest.mark.parametrize("kind", LISTED)
def test_planted_copies_are_found_and_nothing_else(images, descriptors, kind):
    chosen = sorted(images)[:: 4 if kind.startswith("mirrored") else 3]
    copies = {f"{n} copy": descriptor_of(*LISTED[kind](images[n].array, images[n].grid)) for n in chosen}
    found = {(p.a, p.b) for p in pairs({**descriptors, **copies})}
    assert found == {(n, f"{n} copy") for n in chosen}


def test_a_nifti_of_the_same_scan_is_the_same_pixels(real_data, descriptors):
    """Another tool converted it: other axes, another type."""
    path = real_data / "rtstruct_ct_pet_mr_IBSI" / "nifti" / "STS_008" / "CT_image.nii.gz"
    volume = iso.read(path, modality="CT").volume
    found = pairs({**descriptors, "other": descriptor_of(np.asarray(volume.array), volume.grid)})
    assert [(p.a, p.b, p.kind) for p in found] == [("STS_008 CT", "other", "same-pixels")]
