"""NIfTI values and affines against nibabel."""

import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK

from isocenter.base.errors import FormatError
from isocenter.formats.image import FORMATS, format_of
from isocenter.imaging.affine import canonical
from tests.contracts.files import SHAPE, read_files

TYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def random_affine(seed):
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    out = np.eye(4)
    out[:3, :3] = q * rng.uniform(0.4, 3, 3)
    out[:3, 3] = rng.uniform(-100, 100, 3)
    return out


def check(path):
    expected = nibabel.load(path)
    volume = read_files("nifti", [path])
    values = np.asarray(expected.dataobj).T
    assert volume.grid.shape == values.shape
    assert np.allclose(volume.grid.affine, expected.affine, atol=1e-4)
    assert np.allclose(volume.array, values, rtol=1e-7, atol=1e-30)
    return volume


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("code", TYPES)
def test_every_type_in_every_order(code, order, is_packed, tmp_path):
    dtype = np.dtype(order + code)
    rng = np.random.default_rng(0)
    values = (rng.normal(size=SHAPE) * 50 if dtype.kind == "f" else rng.integers(0, 100, SHAPE)).astype(dtype)
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(dtype)
    image = nibabel.Nifti1Image(values.T, random_affine(1), header)
    data = image.to_bytes()
    path = tmp_path / ("a.nii.gz" if is_packed else "a.nii")
    path.write_bytes(gzip.compress(data) if is_packed else data)
    volume = check(path)
    assert volume.array.dtype.isnative
    if dtype.itemsize <= 2 and code != "i1":
        assert volume.array.dtype == dtype.newbyteorder("=")


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_forms_scaling_and_versions(kind, seed, tmp_path):
    rng = np.random.default_rng(seed)
    image = kind(rng.normal(3, 70, SHAPE).T, random_affine(seed))
    image.header.set_data_dtype(np.int16)
    if seed % 3 == 1:
        image.set_sform(None, 0)
        image.set_qform(random_affine(seed), 1)
    elif seed % 3 == 2:
        image.set_sform(random_affine(seed), 2)
        image.set_qform(random_affine(seed), 1)
    path = tmp_path / "a.nii"
    nibabel.save(image, path)
    assert float(nibabel.load(path).dataobj.slope) != 1
    check(path)


def test_neither_form_is_voxel_sizes_only(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.uint8), None)
    image.header.set_zooms((0.5, 0.6, 0.7))
    path = tmp_path / "a.nii"
    nibabel.save(image, path)
    found = FORMATS.get("nifti").scan(path, "f", 0, "").instance
    assert found.orientation_code == "none"
    assert np.allclose(np.array(found.affine).reshape(4, 4), nibabel.load(path).affine)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("micron", 0.001), ("meter", 1000), ("unknown", 1)])
def test_units_of_space(unit, factor, tmp_path):
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.uint8), random_affine(2))
    image.header.set_xyzt_units(unit)
    path = tmp_path / "a.nii"
    nibabel.save(image, path)
    found = np.array(FORMATS.get("nifti").scan(path, "f", 0, "").instance.affine).reshape(4, 4)
    assert np.allclose(found[:3], factor * random_affine(2)[:3], rtol=1e-5)


def test_how_far_the_forms_disagree(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((11, 5, 6), np.uint8), np.eye(4))
    turned = np.diag([-1.0, 1, 1, 1])
    image.set_sform(np.eye(4), 1)
    image.set_qform(turned, 1)
    path = tmp_path / "a.nii"
    nibabel.save(image, path)
    assert FORMATS.get("nifti").scan(path, "f", 0, "").instance.affine_conflict_mm == pytest.approx(20)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "ASL", "SAR", "IRP", "AIL", "LPI"])
def test_every_axis_order_is_one_canonical_volume(codes, tmp_path):
    values = np.random.default_rng(4).integers(0, 200, (6, 7, 8)).astype(np.int16)
    image = nibabel.Nifti1Image(values, np.diag([1.0, 2, 3, 1]))
    to = nibabel.orientations.axcodes2ornt(codes)
    turned = image.as_reoriented(
        nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), to)
    )
    path = tmp_path / "a.nii"
    nibabel.save(turned, path)
    volume = check(path)
    reorder = canonical(volume.grid)
    assert np.array_equal(reorder.apply(volume.array), values.T)
    assert np.allclose(reorder.grid.affine, image.affine)


@pytest.mark.parametrize("ending", [".img", ".img.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Pair, nibabel.Nifti2Pair])
@pytest.mark.parametrize("seed", range(3))
def test_pairs(seed, kind, ending, tmp_path):
    rng = np.random.default_rng(seed)
    image = kind(rng.normal(3, 70, SHAPE).T, random_affine(seed))
    image.header.set_data_dtype([np.int16, ">f4", np.uint8][seed])
    nibabel.save(image, tmp_path / f"a{ending}")
    (header,) = tmp_path.glob("a.hdr*")
    check(header)


@pytest.mark.parametrize("compress", [False, True])
def test_pairs_as_simpleitk_writes_them(compress, tmp_path):
    values = np.random.default_rng(5).integers(-900, 900, SHAPE).astype(np.int16)
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing((0.5, 0.75, 2))
    image.SetOrigin((1, 2, 3))
    SimpleITK.WriteImage(image, str(tmp_path / ("a.img.gz" if compress else "a.hdr")))
    (header,) = tmp_path.glob("a.hdr*")
    volume = check(header)
    assert np.array_equal(volume.array, values)
    expected = np.array(image.TransformIndexToPhysicalPoint((7, 5, 2))) * [-1, -1, 1]
    assert np.allclose((volume.grid.affine @ [7, 5, 2, 1])[:3], expected, atol=1e-5)


@pytest.mark.parametrize("order", ["<", ">"])
def test_analyze_is_told_and_never_guessed(order, tmp_path):
    header = nibabel.AnalyzeHeader(endianness=order)
    image = nibabel.AnalyzeImage(np.zeros(SHAPE, np.int16).T, np.eye(4), header)
    nibabel.save(image, tmp_path / "a.hdr")
    data = (tmp_path / "a.hdr").read_bytes()
    assert format_of(data) == "nifti"
    with pytest.raises(FormatError) as caught:
        FORMATS.get("nifti").scan(tmp_path / "a.hdr", "f", 0, "")
    assert caught.value.reason == "file/unsupported"
    assert "Analyze" in caught.value.message
