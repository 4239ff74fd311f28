"""Real segmentations against their twins by dcmqi, and against highdicom and slicerio, voxel for voxel."""

import highdicom as hd
import nrrd
import numpy as np
import pytest
import SimpleITK
import slicerio

import isocenter as iso
from isocenter.formats.annotations import dicom_seg
from isocenter.formats.annotations import nrrd as slicer
from isocenter.model.task import Label
from tests.contracts.files import read_files

pytestmark = pytest.mark.real

TWINS = {
    "dicom_seg_ct/liver.dcm": "dicom_seg_ct/liver_seg.nrrd",
    "dicom_seg_ct/24x38x3/seg/label.seg": "dicom_seg_ct/24x38x3/nrrd/label.nrrd",
    **{
        f"dicom_seg_compressed_variants/liver_{name}.dcm": "dicom_seg_ct/liver_seg.nrrd"
        for name in (
            *("deflate", "expb", "j2k", "rle"),
            *("nonbyte_aligned", "nonbyte_aligned_deflate", "nonbyte_aligned_j2k", "nonbyte_aligned_rle"),
        )
    },
}
SLICER = {"Segmentation.seg.nrrd": 7, "SegmentationOverlapping.seg.nrrd": 8}
TO_RAS = np.diag([-1.0, -1, 1, 1])


def read(known, path):
    wanted = {p.key: p.name for p in known.parts(path)}
    return known.read(path, wanted, annotation_id="a", rater="")


def test_every_segmentation_is_compared(real_data):
    found = {
        str(p.relative_to(real_data))
        for folder in ("dicom_seg_ct", "dicom_seg_compressed_variants")
        for p in (real_data / folder).rglob("*")
        if p.suffix in {".dcm", ".seg"} and p.parent.name not in {"image", "multiframe", "ct-3slice"}
    }
    assert found == set(TWINS)
    assert {p.name for p in (real_data / "seg_nrrd_ct").glob("*.seg.nrrd")} == set(SLICER)


@pytest.mark.parametrize("name", TWINS)
def test_a_dicom_segmentation_is_its_twin(name, real_data):
    (found,) = read(dicom_seg, real_data / name)
    twin = SimpleITK.ReadImage(str(real_data / TWINS[name]))
    mask = SimpleITK.GetArrayFromImage(twin) != 0
    rows, columns = found.grid.shape[1:]
    # those that are not aligned to bytes were cut at their right and lower edges
    assert not mask[:, rows:].any()
    assert not mask[:, :, columns:].any()
    assert mask.any()
    assert np.array_equal(found.shape.array, mask[:, :rows, :columns])
    spacing, origin = np.array(twin.GetSpacing()), np.array(twin.GetOrigin())
    assert np.allclose(found.grid.affine[:3, :3], TO_RAS[:3, :3] @ np.diag(spacing), atol=1e-6)
    assert np.allclose(found.grid.affine[:3, 3], TO_RAS[:3, :3] @ origin, atol=1e-5)
    (part,) = dicom_seg.parts(real_data / name)
    assert (part.key, part.name, part.code) == (1, "Liver", "SRT:T-62000")


@pytest.mark.parametrize("name", [n for n in TWINS if "nonbyte" in n or n.endswith("liver.dcm")])
def test_a_dicom_segmentation_is_put_on_its_image(name, real_data):
    image = read_files("dicom", sorted((real_data / "dicom_seg_ct" / "ct-3slice").glob("*.dcm")))
    (found,) = iso.read_annotations(
        real_data / name, on=image, vocabulary={"liver": Label(value=1, code="SRT:T-62000")}
    )
    twin = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(real_data / TWINS[name]))) != 0
    assert image.grid.shape == twin.shape
    assert np.array_equal(found.mask(image.grid), twin)


@pytest.mark.parametrize("name", [n for n in TWINS if not any(w in n for w in ("deflate", "rle", "expb"))])
def test_highdicom_reads_the_same(name, real_data):
    # which knows neither deflated frames, nor run lengths of bits, nor big endian
    (found,) = read(dicom_seg, real_data / name)
    volume = hd.seg.segread(real_data / name).get_volume(combine_segments=True, relabel=True)
    theirs = volume.match_geometry(_geometry(found.grid)).array
    assert np.array_equal(found.shape.array, theirs != 0)


def _geometry(grid):
    order = np.eye(4)[:, [2, 1, 0, 3]]
    return hd.VolumeGeometry(TO_RAS @ grid.affine @ order, grid.shape, "PATIENT")


@pytest.mark.parametrize("name", SLICER)
def test_segments_of_slicer(name, real_data):
    path = real_data / "seg_nrrd_ct" / name
    found, parts = read(slicer, path), slicer.parts(path)
    stored, header = nrrd.read(str(path))
    layers = stored.transpose(0, 3, 2, 1) if stored.ndim == 4 else stored.transpose(2, 1, 0)[None]
    assert len(found) == SLICER[name]
    for n, (annotation, part) in enumerate(zip(found, parts, strict=True)):
        told = {key: header[f"Segment{n}_{key}"] for key in ("ID", "Name", "Layer", "LabelValue", "Tags")}
        assert (part.name, part.id) == (told["Name"], told["ID"])
        scheme, value = part.code.split("/")[0].split(":")
        assert f"~{scheme}^{value}^" in told["Tags"]
        assert np.array_equal(annotation.shape.array, layers[int(told["Layer"])] == int(told["LabelValue"]))
    image = read_files("nrrd", [real_data / "seg_nrrd_ct" / "CTChest4.nrrd"])
    assert all(np.array_equal(a.mask(image.grid), a.shape.array) for a in found)


def test_overlapping_segments_are_those_of_the_file_without_one(real_data):
    single, double = (read(slicer, real_data / "seg_nrrd_ct" / name) for name in SLICER)
    assert all(np.array_equal(a.shape.array, b.shape.array) for a, b in zip(single, double, strict=False))
    sphere = double[-1].shape.array
    assert any((sphere & a.shape.array).any() for a in single)


@pytest.mark.parametrize("name", SLICER)
def test_slicerio_reads_the_same(name, real_data):
    path = real_data / "seg_nrrd_ct" / name
    theirs = slicerio.read_segmentation(str(path))
    for annotation, segment in zip(read(slicer, path), theirs["segments"], strict=True):
        voxels = theirs["voxels"] if theirs["voxels"].ndim == 3 else theirs["voxels"][segment["layer"]]
        mask = (voxels == segment["labelValue"]).transpose(2, 1, 0)
        assert annotation.concept == segment["name"]
        assert np.array_equal(annotation.shape.array, mask)
