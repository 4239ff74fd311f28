"""The index of real files, against find and against what pydicom itself reads, file by file and field by field."""

import gzip
import io
import math
import os
import re
import shutil
import subprocess
import warnings
from collections import Counter
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID

import isocenter as iso
from isocenter.base import tables
from isocenter.model.rows import Instance
from tests.oracles import plain_pydicom

pytestmark = pytest.mark.real

ODD = "malformed_and_odd_pydicom/"
# What pydicom reads and the index refuses, or reads as something else, and why that is right.
REFUSED = {
    # a VR of two blanks: pydicom takes all that follows for a Pixel Padding Value, of 139,296 bytes in a file of 2,842
    "ct_screen_out/fo-dicom_surview_dose_sr/GH179A.dcm": "file/truncated",
    "ct_screen_out/fo-dicom_surview_dose_sr/GH179B.dcm": "file/truncated",
    # the file ends within an element, or within the pixel data that Rows and Columns ask for
    f"{ODD}test_files/MR_truncated.dcm": "file/truncated",
    f"{ODD}test_files/rtplan_truncated.dcm": "file/truncated",
    # ten by ten pixels of 32 bits in "1A" frames: nobody knows what 6,000 bytes of them are
    f"{ODD}test_files/badVR.dcm": "file/corrupt",
    # segmentations of three frames, of which the Number of Frames and two were taken away
    f"{ODD}test_files/liver_1frame.dcm": "file/corrupt",
    f"{ODD}test_files/liver_expb_1frame.dcm": "file/corrupt",
    # data sets of private elements alone, or of a few that name neither a class nor a series nor rows
    f"{ODD}test_files/UN_sequence.dcm": "file/corrupt",
    f"{ODD}test_files/meta_missing_tsyntax.dcm": "file/corrupt",
    f"{ODD}test_files/nested_priv_SQ.dcm": "file/corrupt",
    f"{ODD}test_files/priv_SQ.dcm": "file/corrupt",
    f"{ODD}charset_files/chrSQEncoding.dcm": "file/corrupt",
    f"{ODD}charset_files/chrSQEncoding1.dcm": "file/corrupt",
    f"{ODD}test_files/empty_charset_LEI.dcm": "file/corrupt",
    f"{ODD}test_files/no_meta_group_length.dcm": "file/corrupt",
}
# Headers written as JSON (PS3.18 F): of a kind of their own.
DICOM_AS_TEXT = {f"{ODD}test_files/test1.json", f"{ODD}test_files/test_PN.json"}
# What pydicom cannot read, by the exception that it raises: nothing of this folder.
BEYOND_PYDICOM: dict[str, str] = {}

INTEGERS = {
    "series_number": ("SeriesNumber", -math.inf, math.inf),
    "acquisition_number": ("AcquisitionNumber", -math.inf, math.inf),
    "temporal_position": ("TemporalPositionIdentifier", -math.inf, math.inf),
    "instance_number": ("InstanceNumber", -math.inf, math.inf),
    "rows": ("Rows", 1, 65535),
    "columns": ("Columns", 1, 65535),
    "bits_allocated": ("BitsAllocated", 1, math.inf),
    "bits_stored": ("BitsStored", 1, math.inf),
    "pixel_representation": ("PixelRepresentation", 0, 1),
    "pixel_padding": ("PixelPaddingValue", -math.inf, math.inf),
    "pixel_padding_limit": ("PixelPaddingRangeLimit", -math.inf, math.inf),
}
UIDS = {field: keyword for field, keyword in plain_pydicom.TEXTS.items() if field.endswith("_uid")}
TEXTS = {field: keyword for field, keyword in plain_pydicom.TEXTS.items() if field not in UIDS}
NUMBERS = {field: keyword for field, keyword in plain_pydicom.NUMBERS.items() if field not in INTEGERS}
# Fields of `Instance` that are no DICOM attribute, that others formats fill, or that have a test of their own.
OTHERS = {"file_id", "path", "kind", "source", "site", "format", "pixel_offset", "pixel_bytes", "unparsable", "shape", "affine",
          "orientation_code", "affine_conflict_mm", "dtype", "data_name", "overlong", "repeated"}  # fmt: skip
# What may be all that tells two frames apart is told with their type.
MORE_TYPES = (
    ("MRImageFrameTypeSequence", "ComplexImageComponent"),
    ("MRArterialSpinLabelingSequence", "ASLContext"),
)
# Of the functional groups (PS3.3 C.7.6.16.2): field, macros, attribute, and its form.
GROUPS = {
    "position_mm": ("PlanePositionSequence", "ImagePositionPatient", "ras"),
    "orientation": ("PlaneOrientationSequence", "ImageOrientationPatient", "ras"),
    "pixel_spacing_mm": ("PixelMeasuresSequence", "PixelSpacing", "numbers"),
    "slice_thickness_mm": ("PixelMeasuresSequence", "SliceThickness", "number"),
    "spacing_between_slices_mm": ("PixelMeasuresSequence", "SpacingBetweenSlices", "number"),
    "rescale_slope": ("PixelValueTransformationSequence", "RescaleSlope", "number"),
    "rescale_intercept": ("PixelValueTransformationSequence", "RescaleIntercept", "number"),
    "rescale_type": ("PixelValueTransformationSequence", "RescaleType", "text"),
    "stack_id": ("FrameContentSequence", "StackID", "text"),
    "in_stack_position": ("FrameContentSequence", "InStackPositionNumber", "integer"),
    "temporal_position": ("FrameContentSequence", "TemporalPositionIndex", "integer"),
    "dimension_index": ("FrameContentSequence", "DimensionIndexValues", "integers"),
    "acquisition_time": ("FrameContentSequence", "FrameAcquisitionDateTime", "text"),
    "acquisition_number": ("FrameContentSequence", "FrameAcquisitionNumber", "integer"),
    "trigger_time_ms": ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", "number"),
    "echo_time_ms": ("MREchoSequence", "EffectiveEchoTime", "number"),
    "repetition_time_ms": ("MRTimingAndRelatedParametersSequence", "RepetitionTime", "number"),
    "inversion_time_ms": ("MRModifierSequence", "InversionTimes", "number"),
    "b_value": ("MRDiffusionSequence", "DiffusionBValue", "number"),
    "convolution_kernel": ("CTReconstructionSequence", "ConvolutionKernel", "text"),
    "kvp": ("CTXRayDetailsSequence", "KVP", "number"),
    "segment_number": ("SegmentIdentificationSequence", "ReferencedSegmentNumber", "integer"),
}
FRAME_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence")
# What converted objects hold outside the macros (PS3.3 C.7.6.16.2.26), by the same fields.
CONVERTED = {
    "kvp": "KVP",
    "convolution_kernel": "ConvolutionKernel",
    "echo_time_ms": "EchoTime",
    "repetition_time_ms": "RepetitionTime",
    "inversion_time_ms": "InversionTime",
    "trigger_time_ms": "TriggerTime",
    "b_value": "DiffusionBValue",
    "acquisition_number": "AcquisitionNumber",
}
UNASSIGNED = (
    "UnassignedPerFrameConvertedAttributesSequence",
    "UnassignedSharedConvertedAttributesSequence",
)
KINDS = {
    "RT Structure Set Storage": "dicom-rtstruct",
    "Segmentation Storage": "dicom-seg",
    "Surface Segmentation Storage": "dicom-seg",
    "RT Dose Storage": "dicom-rtdose",
    "RT Plan Storage": "dicom-rtplan",
    "Raw Data Storage": "dicom-raw",
    "Media Storage Directory Storage": "dicom-directory",
}
KIND_WORDS = {
    "SR": "dicom-report",
    "Report": "dicom-report",
    "Waveform": "dicom-waveform",
    "ECG": "dicom-waveform",
    "RT": "dicom-radiotherapy",
    "Presentation": "dicom-presentation",
    "Encapsulated": "dicom-document",
    "Registration": "dicom-registration",
}


def is_dicom(data):
    """A preamble, or a first element of group 2 or 8 in either byte order."""
    return data[128:132] == b"DICM" or data[:4] in {
        b"\x02\0\0\0",
        b"\x08\0\x05\0",
        b"\x08\0\x16\0",
        b"\0\x08\0\x05",
        b"\0\x08\0\x16",
    }


def content(path):
    """The bytes of a file, unpacked where it is a gzip file that can be unpacked."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            return gzip.decompress(data)
        except (OSError, EOFError):
            return data
    return data


@pytest.fixture(scope="module")
def index(real_data, tmp_path_factory):
    """The index of all of it, twice, and what pydicom makes of every file that may be DICOM."""
    work = tmp_path_factory.mktemp("index")
    first = iso.index(real_data, workspace=work, jobs=2)
    second = iso.index(real_data, workspace=work, jobs=2)

    def rows(name):
        return tables.read_table(work / "index" / f"{name}.parquet").to_pylist()

    files = rows("files")
    issues = {i["target"]: i["rule"] for i in rows("issues") if i["rule"].startswith("file/")}
    instances = {r["file_id"]: r for r in rows("instances")}
    frames = {}
    for row in rows("frames"):
        frames.setdefault(row["file_id"], []).append(row)
    readings, failures = {}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in files:
            data = content(real_data / row["path"])
            if not is_dicom(data):
                continue
            try:
                readings[row["path"]] = pydicom.dcmread(io.BytesIO(data), force=True)
            except Exception as error:  # noqa: BLE001 - whatever it raises is to be listed
                failures[row["path"]] = type(error).__name__
        yield SimpleNamespace(
            first=first,
            second=second,
            files={r["path"]: r for r in files},
            count=len(files),
            issues=issues,
            instances=instances,
            frames=frames,
            readings=readings,
            failures=failures,
        )


def test_the_account_equals_finds_count(index, real_data):
    command = ["find", str(real_data), "!", "-type", "d", "-print0"]
    listed = subprocess.run(command, check=True, capture_output=True).stdout.count(b"\0")
    assert index.first.counts["files"] == index.count == len(index.files) == listed > 2700
    assert all(r["kind"] for r in index.files.values())


def test_what_pydicom_cannot_read_is_known(index):
    assert index.failures == BEYOND_PYDICOM


def test_what_is_refused_is_known_and_all_else_is_used(index):
    told = {p: index.issues[r["file_id"]] for p, r in index.files.items() if r["file_id"] in index.issues}
    assert told == REFUSED


def test_every_file_that_is_dicom_is_seen_as_such_and_no_other(index):
    seen = {p for p, r in index.files.items() if r["kind"].startswith("dicom-")} - DICOM_AS_TEXT
    assert seen == set(index.readings)
    assert len(seen) > 2500


def test_kinds_are_those_of_the_sop_class(index):
    wrong = {}
    for path, reading in index.readings.items():
        kind = index.files[path]["kind"]
        if path not in REFUSED and kind != kind_of(reading):
            wrong[path] = (kind, kind_of(reading))
    assert wrong == {}


def kind_of(reading):
    uid = UID(reading.get("SOPClassUID") or reading.file_meta.get("MediaStorageSOPClassUID") or "")
    if uid.name in KINDS:
        return KINDS[uid.name]
    if "DirectoryRecordSequence" in reading:
        return "dicom-directory"
    for word, kind in KIND_WORDS.items():
        if re.search(rf"\b{word}\b", uid.name) and "Image" not in uid.name:
            return kind
    is_image = "Image Storage" in uid.name or "Rows" in reading or "PixelData" in reading
    return "dicom-image" if is_image else "dicom-other"


def test_every_field_agrees_with_pydicom(index, record_property):
    """All fields of all files that both read; none is left out."""
    compared, wrong = Counter(), {}
    for path, reading in index.readings.items():
        row = index.instances.get(index.files[path]["file_id"])
        if path in REFUSED or row is None:
            continue
        expected = with_frames(Plain(reading).row(), frames_of(reading))
        for name, value in expected.items():
            compared[name] += 1
            if not equal(row[name], value):
                wrong[path, name] = (row[name], value)
        named = Plain.named(reading) | ({"NumberOfFrames"} if is_uncounted(reading) else set())
        if "GridFrameOffsetVector" in reading and np.size(reading.GridFrameOffsetVector) != row["frames"]:
            named.add("GridFrameOffsetVector")
        if unknown := named ^ set(row["unparsable"]):
            wrong[path, "unparsable"] = unknown
    assert wrong == {}
    assert min(compared.values()) > 2400
    assert {f.name for f in fields(Instance)} - set(compared) == OTHERS
    record_property("values that agree with pydicom", sum(compared.values()))
    record_property("files whose values were compared", max(compared.values()))


def with_frames(values, frames):
    """An object that says nothing itself says what all of its frames say; their time is a date as well."""
    for name in frames[0].keys() & values.keys() - {"acquisition_time"} if frames else ():
        said = {str(f[name]) for f in frames}
        if values[name] in (None, []) and len(said) == 1:
            values[name] = frames[0][name]
    return values


def equal(ours, theirs):
    if isinstance(theirs, list) or isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(equal, ours, theirs))
    return ours == theirs


class Plain:
    """The values of one data set as pydicom gives them, with what it makes no sense of left out and noted."""

    def __init__(self, reading):
        self._reading, self.noted = reading, set()

    @classmethod
    def named(cls, reading):
        """What makes no sense."""
        plain = cls(reading)
        plain.row()
        return plain.noted

    def row(self):
        out = {name: self.text(keyword) for name, keyword in TEXTS.items()}
        out |= {name: self.uid(keyword) for name, keyword in UIDS.items()}
        out |= {name: self.number(keyword) for name, keyword in NUMBERS.items()}
        out |= {name: self.integer(*how) for name, how in INTEGERS.items()}
        out["frames"] = self.integer("NumberOfFrames", 0, math.inf) or 1
        out["samples"] = self.integer("SamplesPerPixel", 1, math.inf) or 1
        out |= {name: self.texts(keyword) for name, keyword in plain_pydicom.LISTS.items()}
        out["pet"] = list(plain_pydicom.expected_pet(self._reading))
        out["view_code"] = plain_pydicom.expected_code(self._reading)
        out["has_voi_lut"] = "VOILUTSequence" in self._reading
        out["study_date"] = next(
            filter(None, map(self.text, ("StudyDate", "SeriesDate", "AcquisitionDate"))), None
        )
        out["identity_removed"] = self.text("PatientIdentityRemoved") == "YES"
        out["is_lossy"] = self.text("LossyImageCompression") == "01"
        out["lossy_ratio"] = self.text("LossyImageCompressionRatio")
        out["b_value"] = plain_pydicom.b_value_of(self._reading)
        out["has_modality_lut"] = "ModalityLUTSequence" in self._reading
        out["has_pixels"] = any(
            k in self._reading for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
        )
        out |= {name: self.numbers(keyword, 2) for name, keyword in plain_pydicom.PAIRS.items()}
        turned = (-1, -1, 1)
        out["orientation"] = [
            0.0 + v * turned[n % 3] for n, v in enumerate(self.numbers("ImageOrientationPatient", 6))
        ]
        out["position_mm"] = [
            0.0 + v * turned[n % 3] for n, v in enumerate(self.numbers("ImagePositionPatient", 3))
        ]
        out["gradient"] = [
            0.0 + v * turned[n] for n, v in enumerate(self.numbers("DiffusionGradientOrientation", 3))
        ]
        stated = self._reading.file_meta.get("TransferSyntaxUID")
        out["transfer_syntax_uid"] = str(stated) if stated else None
        return out

    def values(self, keyword):
        try:
            value = self._reading.get(keyword)
        except Exception:  # noqa: BLE001 - of a damaged value pydicom raises many
            self.noted.add(keyword)
            return []
        if value is None or value == "":
            return []
        return list(value) if isinstance(value, pydicom.multival.MultiValue | list) else [value]

    def texts(self, keyword):
        return [str(v).strip(" \0") for v in self.values(keyword)]

    def text(self, keyword):
        return "\\".join(str(v) for v in self.values(keyword)).strip(" \0") or None

    def uid(self, keyword):
        text = self.text(keyword)
        if text is None or re.fullmatch(r"[0-9.]{1,64}", text):
            return text
        self.noted.add(keyword)
        return None

    def numbers(self, keyword, count):
        try:
            out = [float(v) for v in self.values(keyword)]
        except (TypeError, ValueError):
            self.noted.add(keyword)
            return []
        if not out:
            return out
        if len(out) != count or not all(map(math.isfinite, out)):
            self.noted.add(keyword)
            return []
        return out

    def number(self, keyword):
        return next(iter(self.numbers(keyword, 1)), None)

    def integer(self, keyword, low, high):
        value = self.number(keyword)
        if value is None:
            return None
        if value != int(value) or not low <= value <= high:
            self.noted.add(keyword)
            return None
        return int(value)


def test_every_frame_agrees_with_pydicom(index, record_property):
    """What the functional groups of enhanced objects and segmentations say, frame by frame."""
    count, wrong = 0, {}
    for path, reading in index.readings.items():
        if path in REFUSED or not reading.get("PerFrameFunctionalGroupsSequence"):
            continue
        rows = index.frames.get(index.files[path]["file_id"], [])
        expected = frames_of(reading)
        if [r["frame"] for r in rows] != list(range(len(expected))):
            wrong[path] = len(rows), len(expected)
            continue
        for row, values in zip(rows, expected, strict=True):
            count += 1
            wrong |= {(path, row["frame"], n): (row[n], v) for n, v in values.items() if row[n] != v}
    assert wrong == {}
    assert count > 150
    record_property("frames that agree with pydicom", count)


def frames_of(reading):
    """What pydicom says of each frame, by field; a group that all share holds for each.

    Without the Number of Frames, which is required, nobody knows what several groups belong to.
    """
    if is_uncounted(reading):
        return []
    shared = (reading.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()])[0]
    return [frame_of(own, shared) for own in reading.get("PerFrameFunctionalGroupsSequence") or []]


def is_uncounted(reading):
    return "NumberOfFrames" not in reading and len(reading.get("PerFrameFunctionalGroupsSequence") or []) > 1


def frame_of(own, shared):
    out = {}
    for name, (macro, keyword, form) in GROUPS.items():
        places = [(group, macro, keyword) for group in (own, shared)]
        if name in CONVERTED:
            more = [(group, sequence, CONVERTED[name]) for group in (own, shared) for sequence in UNASSIGNED]
            places = [places[0], *more[:2], places[1], *more[2:]]
        values = (group[s][0].get(k) for group, s, k in places if group.get(s))
        out[name] = plain_of(next((v for v in values if v not in (None, "")), None), form)
    types = (group[s][0].get("FrameType") for group in (own, shared) for s in FRAME_TYPES if group.get(s))
    out["image_type"] = [str(v) for v in next(types, [])]
    for macro, keyword in MORE_TYPES:
        found = [group[macro][0].get(keyword) for group in (own, shared) if group.get(macro)]
        out["image_type"] += [v for v in found[:1] if v and v not in out["image_type"]]
    return out


def plain_of(value, form):
    """A value of a functional group as pydicom gives it, in the type of its column and in RAS."""
    if value is None:
        return [] if form in {"ras", "numbers", "integers"} else None
    many = list(value) if isinstance(value, list | pydicom.multival.MultiValue) else [value]
    if form == "ras":
        return [0.0 + float(v) * (-1, -1, 1)[n % 3] for n, v in enumerate(many)]
    if form == "text":
        return "\\".join(map(str, many)).strip(" \0") or None
    numbers = [int(v) if form.startswith("integer") else float(v) for v in many]
    return numbers if form.endswith("s") else numbers[0]


def test_planes_of_doses_are_where_their_offsets_say(index):
    """PS3.3 C.8.8.3.2: along the normal of the first plane, from the first plane."""
    seen = 0
    for path, reading in index.readings.items():
        rows = index.frames.get(index.files[path]["file_id"], [])
        if index.files[path]["kind"] != "dicom-rtdose" or not rows:
            continue
        offsets = np.asarray(reading.GridFrameOffsetVector, float)
        axes = np.asarray(reading.ImageOrientationPatient, float).reshape(2, 3)
        places = np.asarray(reading.ImagePositionPatient, float) + np.outer(offsets, np.cross(*axes))
        assert np.allclose([r["position_mm"] for r in rows], places * (-1, -1, 1)), path
        seen += 1
    assert seen > 0


def test_where_the_pixels_are(index, real_data):
    """The bytes that the index points to are those that pydicom calls pixel data."""
    seen = 0
    for path, reading in index.readings.items():
        row = index.instances.get(index.files[path]["file_id"])
        if row is None or row["pixel_offset"] is None or path in REFUSED:
            continue
        data = content(real_data / path)
        found = data[row["pixel_offset"] : row["pixel_offset"] + row["pixel_bytes"]]
        assert found == (reading.get("PixelData") or reading["FloatPixelData"].value), path
        seen += 1
    assert seen > 1500


def test_a_second_index_reads_nothing_and_says_the_same(index):
    assert (index.first.counts["scanned"], index.first.counts["reused"]) == (index.count, 0)
    assert (index.second.counts["scanned"], index.second.counts["reused"]) == (0, index.count)
    names = ("series", "stacks", "issues")
    assert all(getattr(index.first, n) == getattr(index.second, n) for n in names)
    assert index.first.instances.equals(index.second.instances)


def test_one_file_that_was_touched_is_one_that_is_read(real_data, tmp_path):
    shutil.copytree(real_data / "mr_prostatex_0000", tmp_path / "in")
    before = iso.index(tmp_path / "in", workspace=tmp_path / "work", jobs=1)
    path = next(p for p in sorted((tmp_path / "in").rglob("*.dcm")))
    path.chmod(0o600)
    os.utime(path, ns=(10**18, 10**18))
    after = iso.index(tmp_path / "in", workspace=tmp_path / "work", jobs=1)
    assert after.counts["scanned"] == 1
    assert after.counts["reused"] == before.counts["files"] - 1
    assert after.stacks == before.stacks
    assert Path(tmp_path / "work/index/done.json").exists()
