"""The simulated archive, read back with other people's libraries."""

from __future__ import annotations

import ast
import gzip
import hashlib
import importlib.util
import json
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from isocenter.base.errors import ConfigError
from isocenter.testing.simulate import Expected, Truth, simulate
from isocenter.testing.simulate.__main__ import main

GOOD = {Expected.KEEP, Expected.NOTE}


def digest_of(array: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).hexdigest()


def affine_of(image: sitk.Image) -> np.ndarray:
    """RAS+ affine of an ITK image, which is LPS."""
    out = np.eye(4)
    out[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    out[:3, 3] = image.GetOrigin()
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ out


def canonical(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.DICOMOrient(image, "RAS"))


def sorted_series(root: Path, case) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    names = reader.GetGDCMSeriesFileNames(str(root / Path(case.paths[0]).parent), case.series_uid)
    assert [Path(name).name for name in names] == [Path(path).name for path in case.paths]
    reader.SetFileNames(names)
    return reader.Execute()


def content(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_same_seed_same_bytes(tmp_path):
    size = {"patients": 6, "matrix": 40, "slices": 8}
    first = simulate(tmp_path / "one", seed=7, **size)
    second = simulate(tmp_path / "elsewhere" / "two", seed=7, **size)
    assert first == second
    assert content(tmp_path / "one") == content(tmp_path / "elsewhere" / "two")
    assert (tmp_path / "one.truth.json").read_bytes() == (tmp_path / "elsewhere/two.truth.json").read_bytes()
    other = simulate(tmp_path / "three", seed=8, faults=False, **size)
    assert {c.series_uid for c in other.cases if c.series_uid}.isdisjoint(c.series_uid for c in first.cases)


def test_dicom_geometry_and_values(archive):
    root, truth = archive
    cases = [c for c in truth.cases if c.format == "dicom" and c.modality == "CT" and not c.faults]
    assert len(cases) > 10
    for case in cases:
        image = sorted_series(root, case)
        assert np.allclose(affine_of(image), np.reshape(case.affine, (4, 4)), atol=2e-3)
        assert image.GetSize() == case.shape[::-1]
        values = canonical(image).astype(np.int16)
        assert values.shape == case.canonical_shape
        padding = pydicom.dcmread(root / case.paths[0]).get("PixelPaddingValue")
        if padding is not None:
            assert np.count_nonzero(values == padding) == case.padding_voxels > 0
            values[values == padding] = -1024
        assert digest_of(values) == case.values_digest
        assert values.min() < -900
        assert values.max() < 3072


def test_gantry_tilt_is_a_shear(archive):
    root, truth = archive
    (case,) = [c for c in truth.cases if "gantry-tilt" in c.faults]
    positions = np.array([pydicom.dcmread(root / p).ImagePositionPatient for p in case.paths], dtype=float)
    step = np.diff(positions, axis=0)
    affine = np.reshape(case.affine, (4, 4))
    assert np.allclose(step * [-1, -1, 1], affine[:3, 2], atol=1e-4)
    assert np.degrees(np.arctan2(step[0, 1], step[0, 2])) == pytest.approx(12, abs=0.01)


def test_nifti_geometry_values_and_masks(archive):
    root, truth = archive
    cases = [c for c in truth.cases if c.format == "nifti" and c.expected in GOOD]
    forms = set()
    for case in cases:
        image = nibabel.load(root / case.paths[0])
        forms.add((int(image.header["qform_code"]), int(image.header["sform_code"])))
        assert np.allclose(image.affine, np.reshape(case.affine, (4, 4)), atol=2e-3)
        values = np.rint(nibabel.as_closest_canonical(image).get_fdata()).astype(np.int16)
        assert digest_of(values.transpose(2, 1, 0)) == case.values_digest
        for mark in case.marks:
            mask = nibabel.as_closest_canonical(nibabel.load(root / mark.path))
            label = np.asarray(mask.dataobj).transpose(2, 1, 0) == int(mark.name)
            assert int(label.sum()) == mark.voxels
            assert not mark.voxels or digest_of(label.astype(np.uint8)) == mark.digest
    assert {(1, 1), (1, 0), (0, 2)} <= forms


def test_nrrd_geometry_values_and_masks(archive):
    root, truth = archive
    cases = [c for c in truth.cases if c.kind == "nrrd-masks" and c.expected in GOOD]
    assert {c.format for c in cases} == {"nrrd", "dicom"}
    for case in cases:
        if case.format == "nrrd":
            image = sitk.ReadImage(str(root / case.paths[0]))
            assert np.allclose(affine_of(image), np.reshape(case.affine, (4, 4)), atol=1e-4)
            assert digest_of(canonical(image)) == case.values_digest
        for mark in case.marks:
            mask = sitk.ReadImage(str(root / mark.path))
            assert np.allclose(affine_of(mask), np.reshape(case.affine, (4, 4)), atol=1e-4)
            label = canonical(mask) == int(mark.name)
            assert int(label.sum()) == mark.voxels
            assert not mark.voxels or digest_of(label.astype(np.uint8)) == mark.digest


def test_counted_volume_is_near_the_analytic_one(archive):
    _, truth = archive
    measured = []
    for case in truth.cases:
        affine = np.reshape(case.affine, (4, 4)) if case.affine else np.eye(4)
        voxel_ml = abs(np.linalg.det(affine[:3, :3])) / 1000
        for mark in case.marks:
            assert (mark.voxels > 0) == (mark.volume_ml > 0)
            if mark.voxels:
                measured.append(mark.voxels * voxel_ml / mark.volume_ml)
                assert 0.6 < measured[-1] < 1.25, (case.subject, mark)
    assert len(measured) > 60
    assert 0.9 < np.median(measured) < 1.05


def test_prevalence_differs_between_sites_and_some_have_none(archive):
    _, truth = archive
    share = {}
    for site in ("site-a", "site-b", "site-c"):
        cases = [c for c in truth.cases if c.site == site and c.marks and not c.faults]
        has = [any(m.label == "lesion" and m.voxels for m in c.marks) for c in cases]
        share[site] = sum(has) / len(has)
        assert 0 < share[site] < 1
    assert share["site-a"] > share["site-b"] > share["site-c"]


def test_every_identifier_is_in_the_archive(archive):
    root, truth = archive
    blob = b"\n".join(p.as_posix().encode() for p in sorted(root.rglob("*")))
    for name, data in content(root).items():
        blob += zlib.decompressobj(31).decompress(data) if name.endswith(".gz") else data
    missing = [item for item in truth.identifiers if item.text.encode() not in blob]
    assert missing == []
    kinds = {item.kind for item in truth.identifiers}
    assert kinds == {
        "accession", "birth-date", "doctor", "institution", "patient-id", "patient-name", "reader", "uid",
    }  # fmt: skip
    names = {item.text for item in truth.identifiers if item.kind == "patient-name"}
    folders = {part for p in (root / "site-a").iterdir() for part in p.name.split("_")}
    assert names & folders
    assert any("-" in item.text for item in truth.identifiers if item.kind == "birth-date")
    assert min(len(item.text) for item in truth.identifiers) >= 7


def test_every_uid_written_is_an_identifier(archive):
    root, truth = archive
    known = {item.text for item in truth.identifiers if item.kind == "uid"}
    seen = set()
    for case in truth.cases:
        if case.format == "dicom":
            header = pydicom.dcmread(root / case.paths[-1], stop_before_pixels=True)
            seen |= {
                str(e.value) for e in header.iterall() if e.VR == "UI" and str(e.value).startswith("2.25.")
            }
    assert seen <= known
    assert all(pydicom.uid.UID(uid).is_valid for uid in known)


def test_identifiers_can_be_left_out(tmp_path):
    truth = simulate(tmp_path / "a", patients=3, matrix=40, slices=8, faults=False, identifiers=False)
    assert {item.kind for item in truth.identifiers} == {"uid", "patient-id"}
    header = pydicom.dcmread(tmp_path / "a" / truth.cases[0].paths[0])
    assert header.PatientName == header.PatientBirthDate == ""
    assert header.PatientIdentityRemoved == "YES"
    assert header.PatientAge.endswith("Y")


def test_attributes_are_what_the_header_says(archive):
    root, truth = archive
    with_tag = 0
    for case in truth.cases:
        if case.format != "dicom" or case.faults:
            continue
        header = pydicom.dcmread(root / case.paths[0], stop_before_pixels=True)
        born, studied = str(header.PatientBirthDate), str(header.StudyDate)
        age = int(studied[:4]) - int(born[:4]) - (studied[4:] < born[4:])
        assert str(age) == case.attributes["age"]
        if "PatientAge" in header:
            with_tag += 1
            assert int(header.PatientAge[:3]) == age
        assert case.attributes["sex"] == header.PatientSex
        assert float(case.attributes["weight_kg"]) == header.PatientWeight
        assert case.subject == header.PatientID
    assert with_tag


def test_it_shares_nothing_with_the_product():
    package = importlib.util.find_spec("isocenter.testing.simulate")
    modules = sorted(Path(package.submodule_search_locations[0]).rglob("*.py"))
    assert len(modules) > 15
    allowed = {"isocenter.base", "isocenter.base.seeds", "isocenter.base.errors"}
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                inside = name.startswith("isocenter.testing.simulate")
                assert not name.startswith("isocenter") or inside or name in allowed
                if name == "isocenter.base":
                    assert {alias.name for alias in node.names} <= {"seeds", "errors"}


def test_truth_survives_json(archive, tmp_path):
    root, truth = archive
    assert Truth.read(root.with_name("archive.truth.json")) == truth
    assert all((root / path).exists() for case in truth.cases for path in case.paths)
    assert all((root / mark.path).exists() for case in truth.cases for mark in case.marks)
    truth.write(tmp_path / "again.json")
    assert Truth.read(tmp_path / "again.json") == truth


def test_parts_can_be_chosen(tmp_path):
    truth = simulate(
        tmp_path / "a", patients=4, sites=2, matrix=40, slices=8, kinds=("nifti-masks",),
        truth=tmp_path / "t.json",
    )  # fmt: skip
    assert [(s.name, s.kind) for s in truth.sites] == [("site-a", "nifti-masks"), ("site-b", "nifti-masks")]
    assert {c.format for c in truth.cases} == {"nifti"}
    assert json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))["seed"] == 0
    only = simulate(tmp_path / "b", patients=4, matrix=40, slices=8, kinds=("nnunet",))
    assert {c.kind for c in only.cases} == {"nnunet"}
    assert only.faults == ()


def test_wrong_arguments_are_named_at_once(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(ConfigError) as error:
        simulate(tmp_path / "full", patients=1, sites=3, matrix=8, kinds=("ct-rtstruct", "bones"))
    assert {p.path for p in error.value.problems} == {"kinds", "patients", "matrix", "folder"}


def test_command(tmp_path, capsys):
    arguments = ["--patients", "1", "--sites", "1", "--matrix", "40", "--slices", "8", "--no-faults"]
    assert main([str(tmp_path / "a"), *arguments, "--kinds", "ct-rtstruct"]) == 0
    assert "1 images of 1 parts, 0 faults" in capsys.readouterr().out
    assert main([str(tmp_path / "a"), *arguments]) == 2
    assert "is not an empty folder" in capsys.readouterr().err


def test_compressed_files_carry_no_time(archive):
    root, truth = archive
    (path,) = next(c.paths for c in truth.cases if c.format == "nifti")
    data = (root / path).read_bytes()
    assert data[4:8] == b"\0\0\0\0"
    assert gzip.decompress(data)[344:348] == b"n+1\0"
