"""Structure sets, readers and the other tasks of a simulated archive, by independent arithmetic."""

from __future__ import annotations

import csv
import hashlib
import json

import nibabel
import numpy as np
import pydicom
import pytest


def even_odd_mask(contours, slices) -> np.ndarray:
    """Voxel centres (K, J, I) inside contours, brought to pixels with each slice's own attributes."""
    rows, columns = slices[0].Rows, slices[0].Columns
    out = np.zeros((len(slices), rows, columns), dtype=bool)
    place = {str(s.SOPInstanceUID): k for k, s in enumerate(slices)}
    i, j = np.meshgrid(np.arange(columns, dtype=float), np.arange(rows, dtype=float))
    for contour in contours:
        k = place[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
        one = slices[k]
        along_i, along_j = np.reshape(one.ImageOrientationPatient, (2, 3)).astype(float)
        offset = np.reshape(contour.ContourData, (-1, 3)).astype(float) - np.array(
            one.ImagePositionPatient, float
        )
        x = offset @ along_i / float(one.PixelSpacing[1])
        y = offset @ along_j / float(one.PixelSpacing[0])
        assert np.abs(offset @ np.cross(along_i, along_j)).max() < 1e-3
        assert len(x) == contour.NumberOfContourPoints
        for x0, y0, x1, y1 in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True):
            crosses = (y0 > j) != (y1 > j)
            out[k] ^= crosses & (i < (x1 - x0) * (j - y0) / (y1 - y0 if y1 != y0 else 1) + x0)
    return out


def to_canonical(mask: np.ndarray, affine) -> np.ndarray:
    image = nibabel.Nifti1Image(mask.astype(np.uint8).transpose(2, 1, 0), np.reshape(affine, (4, 4)))
    return np.asarray(nibabel.as_closest_canonical(image).dataobj).transpose(2, 1, 0)


def rois_of(structures) -> dict[str, list]:
    names = {roi.ROINumber: str(roi.ROIName) for roi in structures.StructureSetROISequence}
    return {
        names[roi.ReferencedROINumber]: list(roi.ContourSequence) for roi in structures.ROIContourSequence
    }


def test_contours_give_exactly_the_true_masks(archive):
    root, truth = archive
    kinds = set()
    checked = 0
    for case in truth.cases:
        if case.kind != "ct-rtstruct" or not case.marks or "slice-missing" in case.faults:
            continue
        slices = [pydicom.dcmread(root / path, force=True) for path in case.paths[: case.shape[0]]]
        masks = {}
        for mark in case.marks:
            structures = pydicom.dcmread(root / mark.path)
            rois = rois_of(structures)
            if not mark.voxels:
                assert mark.name not in rois
                continue
            kinds |= {contour.ContourGeometricType for contour in rois[mark.name]}
            mask = even_odd_mask(rois[mark.name], slices)
            assert int(mask.sum()) == mark.voxels
            packed = np.ascontiguousarray(to_canonical(mask, case.affine))
            assert hashlib.blake2b(packed.tobytes(), digest_size=16).hexdigest() == mark.digest
            masks[mark.reader, mark.label] = mask
            checked += 1
        if case.dice:
            first, second = masks["reader1", "lesion"], masks["reader2", "lesion"]
            dice = 2 * (first & second).sum() / (first.sum() + second.sum())
            assert dice == pytest.approx(case.dice["lesion"], abs=1e-12)
    assert kinds == {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}
    assert checked > 30


def test_structure_sets_refer_to_their_image(archive):
    root, truth = archive
    for case in truth.cases:
        if case.kind != "ct-rtstruct" or case.faults:
            continue
        slices = [pydicom.dcmread(root / path, stop_before_pixels=True) for path in case.paths]
        structures = pydicom.dcmread(root / case.marks[0].path)
        frame = structures.ReferencedFrameOfReferenceSequence[0]
        series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
        assert frame.FrameOfReferenceUID == slices[0].FrameOfReferenceUID
        assert series.SeriesInstanceUID == slices[0].SeriesInstanceUID == case.series_uid
        referenced = {item.ReferencedSOPInstanceUID for item in series.ContourImageSequence}
        assert referenced == {s.SOPInstanceUID for s in slices}


def test_readers_agree_as_planned(archive):
    _, truth = archive
    agreeing = [dice for c in truth.cases if not c.faults for dice in c.dice.values()]
    apart = [c.dice["lesion"] for c in truth.cases if "readers-disagree" in c.faults]
    assert len(agreeing) >= 8
    assert {tuple(c.dice) for c in truth.cases} >= {(), ("lesion",), ("heart", "lesion")}
    assert min(agreeing) > 0.85
    assert max(c.dice["lesion"] for c in truth.cases if c.dice) < 1
    assert len(apart) == 3
    assert 0.3 < min(apart) < max(apart) < 0.7


def test_names_are_in_the_vocabulary_except_the_planted_one(archive):
    _, truth = archive
    unknown = set()
    for case in truth.cases:
        for mark in case.marks:
            if case.kind == "ct-rtstruct" and mark.label:
                assert mark.name in truth.vocabulary[mark.label]
            elif not mark.label:
                unknown.add(mark.name)
    assert unknown == {"Ring_3mm"}
    names = {m.name for c in truth.cases for m in c.marks if m.label == "lesion" and not m.name.isdigit()}
    assert len(names) >= 4


def test_labels_do_not_overlap(archive):
    root, truth = archive
    for case in truth.cases:
        if case.format != "nifti" or case.faults:
            continue
        for path in {mark.path for mark in case.marks}:
            here = [mark for mark in case.marks if mark.path == path]
            stored = np.asarray(nibabel.load(root / path).dataobj)
            assert np.count_nonzero(stored) == sum(mark.voxels for mark in here)


def test_pet_is_in_the_frame_of_its_ct_and_shows_the_lesion(archive):
    root, truth = archive
    cts = {c.series_uid: c for c in truth.cases if c.modality == "CT" and c.series_uid}
    pets = [c for c in truth.cases if c.modality == "PT"]
    assert pets
    for case in pets:
        slices = [pydicom.dcmread(root / path) for path in case.paths]
        ct = cts[case.registered_with]
        assert slices[0].FrameOfReferenceUID == pydicom.dcmread(root / ct.paths[0]).FrameOfReferenceUID
        assert len({s.RescaleSlope for s in slices}) > 1
        tracer = slices[0].RadiopharmaceuticalInformationSequence[0]
        factor = float(slices[0].PatientWeight) * 1000 / float(tracer.RadionuclideTotalDose)
        suv = np.stack([s.pixel_array * float(s.RescaleSlope) for s in slices]) * factor
        centre = next(m.centre_mm for m in ct.marks if m.label == "lesion" and m.voxels)
        i, j, k = np.rint(np.linalg.solve(np.reshape(case.affine, (4, 4)), (*centre, 1)))[:3].astype(int)
        assert 4 < suv[k, j, i] < 10
        assert np.median(suv) < 1


def test_mr_distances(archive):
    root, truth = archive
    measured = {}
    for case in truth.cases:
        if case.modality == "MR":
            z = [
                pydicom.dcmread(root / p, stop_before_pixels=True).ImagePositionPatient
                for p in case.paths[:2]
            ]
            measured.setdefault(bool(case.faults), set()).add(
                round(float(np.linalg.norm(np.subtract(*z))), 2)
            )
    assert measured == {False: {4.5}, True: {6.5}}


def test_radiographs_and_their_table(archive):
    root, truth = archive
    (site,) = [s for s in truth.sites if s.kind == "xray-labels"]
    cases = [c for c in truth.cases if c.kind == "xray-labels"]
    rows = list(csv.DictReader((root / site.folder / "labels.csv").read_text(encoding="utf-8").splitlines()))
    labels = {c.subject: c.labels for c in cases}
    assert {row["patient_id"]: tuple(filter(None, row["labels"].split("|"))) for row in rows} == labels
    for row in rows:
        assert [c for c in ("nodule", "effusion", "cardiomegaly") if row[c] == "1"] == list(
            labels[row["patient_id"]]
        )
    first, twin = (pydicom.dcmread(root / c.paths[0]) for c in cases[:2])
    assert (first.PhotometricInterpretation, twin.PhotometricInterpretation) == ("MONOCHROME2", "MONOCHROME1")
    assert first.StudyDate < twin.StudyDate
    assert np.array_equal(first.pixel_array, 4095 - twin.pixel_array)


def test_nodules_lie_where_the_table_says(archive):
    root, truth = archive
    (site,) = [s for s in truth.sites if s.kind == "ct-boxes"]
    rows = list(csv.DictReader((root / site.folder / "nodules.csv").read_text(encoding="utf-8").splitlines()))
    cases = {c.series_uid: c for c in truth.cases if c.kind == "ct-boxes"}
    assert len(rows) == sum(len(c.centres) for c in cases.values()) > 0
    assert any(not c.centres for c in cases.values())
    for row in rows:
        case = cases[row["seriesuid"]]
        slices = [pydicom.dcmread(root / path) for path in case.paths]
        lps = np.array([float(row[f"coord{axis}"]) for axis in "XYZ"])
        i, j, k = np.rint(np.linalg.solve(np.reshape(case.affine, (4, 4)), (*(lps * [-1, -1, 1]), 1)))[
            :3
        ].astype(int)
        assert slices[k].pixel_array[j, i] + slices[k].RescaleIntercept > -200
        assert float(row["diameter_mm"]) > 0


def test_layouts_list_what_exists(archive):
    root, _ = archive
    nnunet, decathlon = root / "Dataset001_Phantom", root / "Task01_Phantom"
    described = json.loads((nnunet / "dataset.json").read_text(encoding="utf-8"))
    images = sorted(p.name for p in (nnunet / "imagesTr").iterdir())
    assert len(images) == described["numTraining"]
    assert sorted(p.name for p in (nnunet / "labelsTr").iterdir()) == [n.replace("_0000", "") for n in images]
    assert any((nnunet / "imagesTs").iterdir())
    listed = json.loads((decathlon / "dataset.json").read_text(encoding="utf-8"))
    for pair in listed["training"]:
        assert nibabel.load(decathlon / pair["image"]).shape == nibabel.load(decathlon / pair["label"]).shape
    assert all((decathlon / path).is_file() for path in listed["test"])
    assert (len(listed["training"]), len(listed["test"])) == (listed["numTraining"], listed["numTest"])
