"""Structure sets whose values are found by the compiled walk: the parser says the same of each, damaged or not."""

import os
import random
import time
import warnings

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from isocenter.base.errors import FormatError
from isocenter.formats.dicom import file as dicom_file
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.watched import WatchedHeader
from isocenter.formats.image import FORMATS
from isocenter.formats.limits import Limits
from tests.contracts.files import FRAME, contour, dicom_bytes, item, rectangle, rtstruct_dataset

COUNT = int(os.environ.get("ISOCENTER_MUTANTS", "2500"))
EXTREMES = [n.to_bytes(4, "little") for n in (0, 1, 8, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE)]
HEADS = [
    bytes.fromhex(text)
    for text in (
        *("feff00e0", "feff0de0", "feffdde0", "08000500", "06301000", "06302000", "06303900", "06304000"),
        *("06305000", "06302200", "06302600", "06302400", "20005200", "20000e00", "08005511", "06301600"),
        *("08000500435300", "5351", "554e", "0000", "4c4f", "5549", "3092", "e07f1000"),
    )
]


def scan(path):
    try:
        return FORMATS.get("dicom").scan(path, "file", 0, "site")
    except FormatError as error:
        return error.reason, str(error), error.measured, error.expected, error.identity


def both(path, monkeypatch):
    """What the walk says, what pydicom says by itself, and whether the walk was sure of itself."""
    sure = []

    def told(bounded, survey, regions, limits):
        dataset = direct(bounded, survey, regions, limits)
        sure.append(regions is not None and dataset is not None)
        return dataset

    with monkeypatch.context() as patch:
        patch.setattr(dicom_file, "_direct", told)
        walked = scan(path)
    with monkeypatch.context() as patch:
        patch.setattr(dicom_file, "find_regions", lambda *a, **k: None)
        watched = scan(path)
        patch.setattr(WatchedHeader, "sequence", Header.sequence)
        parsed = scan(path)
    assert watched == parsed
    return walked, parsed, bool(sure) and sure[-1]


direct = dicom_file._direct


def full(character_set="ISO_IR 100", is_open=False):
    """References, three ROIs (one without number, one not in ASCII) and contours; lengths stated or not."""
    images = [item(ReferencedSOPClassUID="1.2", ReferencedSOPInstanceUID=f"1.2.3.{n}") for n in (4, 5, 4)]
    series = [
        item(SeriesInstanceUID="1.2.9", ContourImageSequence=Sequence(images)),
        item(SeriesInstanceUID=""),
    ]
    study = item(ReferencedSOPInstanceUID="1.2.8", RTReferencedSeriesSequence=Sequence(series))
    many = [contour(rectangle(k)) for k in range(3)]
    many += [contour(rectangle()[:1], "POINT"), item(ContourGeometricType="CLOSED_PLANAR")]
    out = rtstruct_dataset({2: ("Größe", many), 1: ("Heart", [contour(rectangle(7))]), 5: ("", [])})
    out.SpecificCharacterSet, out.FrameOfReferenceUID = character_set, "1.2.6"
    out.ReferencedFrameOfReferenceSequence = Sequence(
        [item(FrameOfReferenceUID=FRAME, RTReferencedStudySequence=Sequence([study]))]
    )
    out.StructureSetROISequence[2].ROINumber = None
    seen = item(ObservationNumber=1, ReferencedROINumber=1, ROIInterpreter="")
    out.RTROIObservationsSequence = Sequence([seen])
    out.ApprovalStatus = "UNAPPROVED"
    if is_open:
        _open(out)
    return out


def _open(dataset):
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for inner in element.value:
                inner.is_undefined_length_sequence_item = True
                _open(inner)


def own_sets():
    """Items that state a character set of their own."""
    out = full("ISO_IR 192", is_open=True)
    for each in (*out.StructureSetROISequence, *out.RTROIObservationsSequence):
        each.SpecificCharacterSet = "ISO_IR 100"
    out.StructureSetROISequence[1].ROIName = "Hoden, groß"
    return out


SETS = {
    "explicit": dicom_bytes(full()),
    "implicit": dicom_bytes(full("ISO_IR 192"), ImplicitVRLittleEndian),
    "explicit, open": dicom_bytes(full("ISO_IR 192", is_open=True)),
    "implicit, open": dicom_bytes(full(is_open=True), ImplicitVRLittleEndian),
    "own sets": dicom_bytes(own_sets(), ImplicitVRLittleEndian),
    "plain": dicom_bytes(rtstruct_dataset()),
}


@pytest.mark.parametrize("name", SETS)
def test_the_walk_says_what_the_parser_says(name, tmp_path, monkeypatch):
    path = tmp_path / "set.dcm"
    path.write_bytes(SETS[name])
    walked, parsed, is_sure = both(path, monkeypatch)
    assert walked == parsed
    assert is_sure


@pytest.mark.parametrize("name", [name for name in SETS if name != "plain"])
def test_the_values_are_those_of_pydicom(name, tmp_path):
    path = tmp_path / "set.dcm"
    path.write_bytes(SETS[name])
    found, truth = scan(path).annotation, pydicom.dcmread(path)
    names = {r.ROINumber: r.ROIName for r in truth.StructureSetROISequence if r.ROINumber is not None}
    assert dict(zip(found.numbers, found.labels, strict=True)) == names
    assert found.frame_of_reference_uid == FRAME
    assert found.referenced_series_uids == ("1.2.9",)
    assert found.referenced_instance_uids == ("1.2.3.4", "1.2.3.5")
    contours = [c for r in truth.ROIContourSequence for c in r.ContourSequence]
    firsts = [c.ContourData[:3] for c in contours if "ContourData" in c and len(c.ContourData) >= 9]
    assert found.samples_mm == tuple(v for x, y, z in firsts for v in (-x, -y, z))


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_other_syntaxes_are_left_to_the_parser(syntax, tmp_path, monkeypatch):
    path = tmp_path / "set.dcm"
    path.write_bytes(dicom_bytes(full(), syntax))
    walked, parsed, is_sure = both(path, monkeypatch)
    assert walked == parsed
    assert walked.annotation.numbers == (1, 2)
    assert not is_sure


def changed(change):
    out = full()
    change(out)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dicom_bytes(out)


def _twice(out):
    out.StructureSetROISequence[0].ROINumber = out.StructureSetROISequence[1].ROINumber


def _long(out):
    many = [(n % 97, n % 89, 1) for n in range(9000)]
    out.ROIContourSequence[1].ContourSequence = Sequence([contour(many)])


def _no_numbers(out):
    out.StructureSetROISequence[0]["ROINumber"]._value = "1.0"
    out.StructureSetROISequence[1]["ROINumber"]._value = "x7"


def _other_set(out):
    out.StructureSetROISequence[0].SpecificCharacterSet = ["", "ISO 2022 IR 87"]


def _private(out):
    block = out.StructureSetROISequence[0].private_block(0x3007, "MAKER", create=True)
    block.add_new(0x10, "SQ", Sequence([item(ROINumber=9)]))
    out.StructureSetROISequence[0][0x30071010].is_undefined_length = True


@pytest.mark.parametrize("change", [_twice, _long, _no_numbers, _other_set, _private])
def test_odd_sets_come_out_the_same(change, tmp_path, monkeypatch):
    path = tmp_path / "set.dcm"
    path.write_bytes(changed(change))
    walked, parsed, _ = both(path, monkeypatch)
    assert walked == parsed


@pytest.mark.parametrize("name", SETS)
def test_damaged_sets_come_out_the_same(name, tmp_path, monkeypatch):
    chance, path, sure, refused = random.Random(4711), tmp_path / "set.dcm", 0, 0
    for _ in range(COUNT // 5):
        path.write_bytes(damaged(SETS[name], chance))
        walked, parsed, is_sure = both(path, monkeypatch)
        assert walked == parsed
        sure += is_sure
        refused += isinstance(walked, tuple)
    # neither way may be the only one that was tried
    assert COUNT // 5 > sure > COUNT // 50
    assert refused


def damaged(data, chance):
    """One to three changes, most of them in the sequences: bytes, lengths, heads, what is lost, added and moved."""
    out, start = bytearray(data), data.find(b"\x06\x30")
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.randrange(start if chance.random() < 0.9 else 132, len(out))
        kind = chance.randrange(7)
        if kind == 0:
            out[at] = chance.randrange(256)
        elif kind == 1:
            out[at : at + 4] = chance.choice(EXTREMES)
        elif kind == 2:
            head = chance.choice(HEADS)
            out[at : at + len(head)] = head
        elif kind == 3:
            del out[at : at + chance.choice([1, 2, 4, 8, 30])]
        elif kind == 4:
            piece = chance.randrange(start, len(out))
            out[at:at] = out[piece : piece + chance.choice([2, 8, 12, 40])]
        elif kind == 5:
            place = out.find(chance.choice(HEADS), at)
            if place >= 0:
                out[place + chance.randrange(8)] = chance.choice([0, 1, 2, 4, 16, 0xFF, 0xE9])
        else:
            out[at] = (out[at] + chance.choice([-2, -1, 1, 2])) % 256
    return bytes(out)


def crafted(contours, is_odd):
    """Many contours of one element each, five thousand to a ROI; odd ones have their tags out of order."""
    data = b"0\\0\\0\\1\\0\\0\\1\\1\\0 "
    point = b"\x06\x30\x50\x00DS" + len(data).to_bytes(2, "little") + data
    one = b"\xfe\xff\x00\xe0" + len(point).to_bytes(4, "little") + point
    many = one * 5000
    roi = b"\x06\x30\x40\x00SQ\0\0" + len(many).to_bytes(4, "little") + many
    roi = b"\xfe\xff\x00\xe0" + len(roi).to_bytes(4, "little") + roi
    all_rois = roi * (contours // 5000)
    out = Dataset()
    plain = rtstruct_dataset()
    for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality"):
        setattr(out, keyword, plain[keyword].value)
    last = b"\x06\x30\x02\x00SH\x02\x00x " if is_odd else b""
    return (
        dicom_bytes(out) + b"\x06\x30\x39\x00SQ\0\0" + len(all_rois).to_bytes(4, "little") + all_rois + last
    )


def test_many_contours_take_no_time(tmp_path):
    path = tmp_path / "set.dcm"
    path.write_bytes(crafted(285_000, is_odd=False))
    scan(path)
    began = time.process_time()
    found = scan(path)
    assert len(found.annotation.samples_mm) == 192
    assert time.process_time() - began < 2


def test_the_parser_gives_up_in_time(tmp_path):
    path = tmp_path / "set.dcm"
    path.write_bytes(crafted(285_000, is_odd=True))
    began = time.process_time()
    with pytest.raises(FormatError) as caught:
        FORMATS.get("dicom").scan(path, "file", 0, "", Limits(seconds=0.5))
    assert caught.value.reason == "file/limit"
    assert time.process_time() - began < 2
