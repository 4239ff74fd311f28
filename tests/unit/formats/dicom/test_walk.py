import struct

import pytest
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from isocenter.formats.header_reader import HEADER_READERS
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from tests.contracts.files import ct_bytes, ct_dataset, dicom_bytes, item
from tests.contracts.headers import differences, heads_of, read, scans_of, slow_scan

LE, IM = ExplicitVRLittleEndian, ImplicitVRLittleEndian


def known(data, **options):
    (scan,) = scans_of(read([data], **options))
    return scan


def private(value, vr="OB", **changes):
    """A CT with a private value in front of the image's attributes."""
    out = ct_dataset(0, **changes)
    out.private_block(0x0009, "MAKER", create=True).add_new(0x10, vr, value)
    return out


def element(tag, vr, value, syntax=LE):
    group, number = struct.pack("<H", tag >> 16), struct.pack("<H", tag & 0xFFFF)
    if syntax == IM:
        return group + number + struct.pack("<I", len(value)) + value
    if vr in {"SQ", "UN", "OB", "UT"}:
        return group + number + vr.encode() + b"\0\0" + struct.pack("<I", len(value)) + value
    return group + number + vr.encode() + struct.pack("<H", len(value)) + value


def inserted(more, before=b"\x10\x00\x10\x00", data=None):
    data = ct_bytes() if data is None else data
    at = data.index(before)
    return data[:at] + more + data[at:]


def agrees(data, tmp_path, **options):
    """Whether the file is known; then it must be what the slow reader says."""
    scan = known(data, **options)
    if scan is not None:
        assert differences(scan, slow_scan(tmp_path / "file.dcm", data)) == []
    return scan is not None


@pytest.mark.parametrize("head_bytes", [256, 512, 8192])
@pytest.mark.parametrize("syntax", [LE, IM])
def test_long_values_are_jumped_over(head_bytes, syntax, tmp_path):
    data = dicom_bytes(private(bytes(1 << 20)), syntax)
    heads = heads_of([data], head_bytes)
    (scan,) = scans_of(HEADER_READERS.get("dicom").read(heads, DEFAULT_LIMITS))
    assert differences(scan, slow_scan(tmp_path / "file.dcm", data)) == []
    assert sum(count for _, _, count in heads.more.asked) <= 3 * 4096


def test_a_header_in_the_head_asks_for_nothing_more():
    heads = heads_of([ct_bytes()], 8192)
    HEADER_READERS.get("dicom").read(heads, DEFAULT_LIMITS)
    assert heads.more.asked == []


def test_of_pixel_data_in_fragments_only_the_heads_are_read(tmp_path):
    dataset = ct_dataset(0, NumberOfFrames=4)
    dataset.PixelData = encapsulate([bytes(50_000)] * 4)
    dataset["PixelData"].is_undefined_length = True
    data = dicom_bytes(dataset, JPEG2000Lossless)
    heads = heads_of([data], 4096)
    (scan,) = scans_of(HEADER_READERS.get("dicom").read(heads, DEFAULT_LIMITS))
    assert differences(scan, slow_scan(tmp_path / "file.dcm", data)) == []
    assert scan.instance.pixel_offset is None
    assert {count for _, _, count in heads.more.asked} == {8}
    assert known(data[:-8]) is None
    assert known(data[:-60_000]) is None


def test_where_native_pixel_data_lie():
    dataset = ct_dataset()
    data = dicom_bytes(dataset)
    instance = known(data).instance
    at, count = instance.pixel_offset, instance.pixel_bytes
    assert data[at : at + count] == dataset.PixelData


@pytest.mark.parametrize("syntax", [LE, IM])
@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("is_open_item", [True, False])
def test_attributes_inside_sequences_are_not_those_of_the_object(syntax, is_open, is_open_item, tmp_path):
    inner = item(PatientID="another", SpecificCharacterSet="ISO_IR 192", RescaleSlope="7")
    outer = item(PatientID="third", ReferencedImageSequence=Sequence([inner, item()]))
    dataset = ct_dataset(0, ReferencedImageSequence=Sequence([outer, inner]))
    dataset["ReferencedImageSequence"].is_undefined_length = is_open
    for entry in dataset.ReferencedImageSequence:
        entry.is_undefined_length_sequence_item = is_open_item
    data = dicom_bytes(dataset, syntax)
    assert known(data).instance.patient_id == "PID4711"
    for head_bytes in (400, 410, 423, 8192):
        assert agrees(data, tmp_path, head_bytes=head_bytes)


def test_an_implicit_sequence_in_an_explicit_data_set(tmp_path):
    content = element(0x00100020, "LO", b"inner ", IM)
    entry = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content
    unknown = b"\x09\x00\x10\x10UN\0\0\xff\xff\xff\xff" + entry + b"\xfe\xff\xdd\xe0\0\0\0\0"
    assert agrees(inserted(unknown), tmp_path)


def test_tags_may_be_out_of_order(tmp_path):
    dataset = ct_bytes()
    late = element(0x00080070, "LO", b"MAKER ") + element(0x00080020, "DA", b"20240101")
    data = inserted(late, before=b"\x20\x00\x0d\x00", data=dataset)
    assert known(data).instance.manufacturer == "MAKER"
    assert agrees(data, tmp_path)


def test_a_data_set_without_preamble(tmp_path):
    data = dicom_bytes(ct_dataset(0, SpecificCharacterSet="ISO_IR 100"))
    for start in (data.index(b"\x08\x00\x05\x00"), 132):
        assert agrees(data[start:], tmp_path)


CASES = {
    "big endian": dicom_bytes(ct_dataset(), ExplicitVRBigEndian),
    "deflated": dicom_bytes(ct_dataset(), DeflatedExplicitVRLittleEndian),
    "unknown vr": inserted(element(0x00090010, "ZZ", b"MAKER ")),
    "a stated twice attribute": inserted(element(0x00080060, "CS", b"MR")),
    "a group of frames": inserted(element(0x52009230, "SQ", b""), before=b"\xe0\x7f\x10\x00"),
    "a command": inserted(element(0x00000002, "UI", b"1.2\0"), before=b"\x08\x00\x08\x00"),
    "an odd character set": inserted(element(0x00080005, "CS", b"ISO\x07IR "), before=b"\x08\x00\x08\x00"),
    "a stray delimiter": inserted(b"\xfe\xff\x0d\xe0\0\0\0\0"),
    "bytes behind the last element": ct_bytes(PixelData=None) + b"\0\0\0",
    "an element that ends beyond the file": ct_bytes()[:500],
    "pixel data cut": ct_bytes()[:-1],
    "pixel data in fragments of a native syntax": ct_bytes()[:-96].replace(
        b"OW\0\0\x60\0\0\0", b"OW\0\0\xff\xff\xff\xff"
    ),
    "fewer pixels than rows and columns": ct_bytes(Rows=7),
    "more pixels than rows and columns": ct_bytes(PixelData=bytes(4096)),
    "nothing": b"",
    "only a preamble": bytes(128) + b"DICM",
    "no image": b"P" * 4000,
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_odd_is_left_to_the_slow_reader(name):
    assert known(CASES[name]) is None
    assert known(CASES[name], head_bytes=300) is None


@pytest.mark.parametrize(
    "limits",
    [
        Limits(elements=20),
        Limits(depth=1),
        Limits(items=2),
        Limits(value_bytes=20),
        Limits(header_bytes=500),
    ],
)
def test_limits_are_held(limits):
    deep = Sequence([item(ReferencedImageSequence=Sequence([item(PatientID="x")])), item(), item()])
    data = dicom_bytes(ct_dataset(0, ReferencedImageSequence=deep))
    assert known(data) is not None
    assert known(data, limits=limits) is None


def test_a_hundred_thousand_open_sequences_are_left_out():
    step = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    assert known(inserted(step * 100_000)) is None


@pytest.mark.parametrize(
    ("name", "is_known"), [(b"ISO_IR 100", True), (b"ISO_IR 6\0\0", True), (b"ISO\0IR 100", False)]
)
def test_a_zero_ends_the_name_of_a_character_set(name, is_known, tmp_path):
    """Within it the library refuses the file as soon as it meets a sequence (and the slow reader with it)."""
    data = dicom_bytes(ct_dataset(0, SpecificCharacterSet="ISO_IR 192")).replace(b"ISO_IR 192", name)
    assert agrees(data, tmp_path) == is_known
