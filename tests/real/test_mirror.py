"""Masks of real images, as they are and mirrored: the mirrored are told from the others, and hardly ever the others."""

import nibabel
import numpy as np
import pytest

import isocenter as iso
from isocenter.imaging.affine import canonical
from isocenter.imaging.mirror import RIVALS, rivals_of
from isocenter.model.grid import Grid

pytestmark = pytest.mark.real

# What annotation/mirrored-mask asks for by default.
LIMIT = 4.0
PATIENTS = [f"STS_{n:03}" for n in (2, 3, 8, 12, 15, 18, 24, 25, 32, 35, 41, 43)]


def organs(folder, image, mask):
    """A CT or MR (K, J, I) with the label map of many organs beside it."""
    pixels, labels = (nibabel.as_closest_canonical(nibabel.load(folder / name)) for name in (image, mask))
    array, values = (np.ascontiguousarray(np.asanyarray(n.dataobj).T) for n in (pixels, labels))
    return array, values.astype(np.uint8), Grid(array.shape, pixels.affine)


def series(image, mask):
    """A series of DICOM with its label map, in canonical order."""
    volume = iso.read(image).volume
    labels = np.zeros(volume.grid.shape, np.uint8)
    for value, annotation in enumerate(iso.read_annotations(mask), start=1):
        labels[annotation.mask(volume.grid)] = value
    reorder = canonical(volume.grid)
    return reorder.apply(volume.array), reorder.apply(labels), reorder.grid


@pytest.fixture(scope="module")
def images(real_data):
    sarcoma = real_data / "rtstruct_ct_pet_mr_IBSI/dicom"
    nifti = real_data / "nifti_image_mask"
    j2k = real_data / "ct_j2k_series_plus_nifti_mask"
    out = [
        organs(nifti, "example_ct_sm.nii.gz", "example_seg.nii.gz"),
        organs(nifti, "example_mr_sm.nii.gz", "example_seg_mr.nii.gz"),
        series(j2k / "example_ct_dicom", j2k / "example_seg_dicom.nii.gz"),
    ]
    for patient in PATIENTS:
        folder = sarcoma / patient / "CT"
        out.append(series(folder / "image", next((folder / "mask").iterdir())))
    return out


def best(image, labels, grid):
    """The evidence for the best of the mirrored masks; far below 0 where there is too little to tell."""
    rivals = rivals_of(image, labels, grid)
    return rivals[0].evidence if rivals else -99.0


def area_under_curve(without: list[float], with_: list[float]) -> float:
    """Of a pair of one with and one without the fault, how often the first has the higher score (Hanley 1982)."""
    scores = np.subtract.outer(np.array(with_), np.array(without))
    return float((scores > 0).mean() + 0.5 * (scores == 0).mean())


def test_structures_one_by_one(images, record_property) -> None:
    as_is, mirrored = [], []
    for image, labels, grid in images:
        for value in np.unique(labels[labels > 0]):
            mask = labels == value
            if rivals_of(image, mask, grid):
                as_is.append(best(image, mask, grid))
                mirrored += [best(image, np.flip(mask, axes), grid) for axes in RIVALS.values()]
    area = area_under_curve(as_is, mirrored)
    told = float(np.mean(np.array(mirrored) >= LIMIT))
    record_property("structures of real images", len(as_is))
    record_property("area under the curve of a mirrored structure", f"{area:.3f}")
    record_property("share of mirrored structures that is told by itself", f"{told:.2f}")
    assert len(as_is) > 80
    assert area > 0.95
    assert max(as_is) < LIMIT
    assert told > 0.55


def test_whole_images(images, record_property) -> None:
    """Many organs together leave no doubt; a tumour in the middle of an image that was cut around it may."""
    as_is = [best(*image) for image in images]
    ways = list(RIVALS.values())
    mirrored = [[best(image, np.flip(labels, axes), grid) for axes in ways] for image, labels, grid in images]
    area = area_under_curve(as_is, [evidence for found in mirrored for evidence in found])
    record_property("area under the curve of a mirrored image", f"{area:.3f}")
    assert max(as_is) < 2
    assert all(evidence > 10 for found in mirrored[:3] for evidence in found)
    assert area > 0.85
