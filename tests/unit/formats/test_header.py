import io

import numpy as np
import pydicom
import pytest

from isocenter.formats.dicom.header import Header
from tests.contracts.files import ct_dataset, dicom_bytes


def header(**changes):
    """As it comes from a file: values are raw."""
    return Header(pydicom.dcmread(io.BytesIO(dicom_bytes(ct_dataset(**changes)))))


def raw(keyword, vr, value):
    tag = pydicom.tag.Tag(keyword)
    dataset = pydicom.Dataset()
    element = pydicom.dataelem.RawDataElement(tag, vr, len(value), value, 0, False, True)
    dataset._dict[tag] = element
    return Header(dataset)


def test_values_are_those_of_pydicom():
    found = header(PatientName="Müller^Jörg", SpecificCharacterSet="ISO_IR 192")
    assert found.text("PatientName") == "Müller^Jörg"
    assert found.texts("ImageType") == ("ORIGINAL", "PRIMARY", "AXIAL")
    assert found.numbers("ImagePositionPatient", 3) == (-10.0, -20.0, 0.0)
    assert (found.integer("Rows"), found.number("RescaleIntercept")) == (6, -1024.0)
    assert (found.text("BodyPartExamined"), found.number("KVP"), found.texts("AcquisitionDate")) == (
        None,
        None,
        (),
    )
    assert found.unparsable == []


@pytest.mark.parametrize(
    "value",
    [b"1,5", b"NaN", b"inf", b"1e400", b"1_0", b"one", b"1\\2", b"\xd9\xa1", b"1\\"],
)
def test_a_number_that_is_none_is_named_and_not_guessed(value):
    found = raw("RescaleSlope", "DS", value)
    assert found.number("RescaleSlope") is None
    assert found.unparsable == ["RescaleSlope"]


@pytest.mark.parametrize(
    ("value", "expected"), [(b" 1.5 ", 1.5), (b"-2E3", -2000.0), (b"", None), (b"  ", None)]
)
def test_decimal_strings(value, expected):
    found = raw("RescaleSlope", "DS", value)
    assert found.number("RescaleSlope") == expected
    assert found.unparsable == []


def test_whole_numbers_and_their_bounds():
    assert raw("Rows", "US", b"\x00\x02").integer("Rows") == 512
    assert raw("PixelPaddingValue", "SS", b"\x30\xf8").integer("PixelPaddingValue") == -2000
    assert raw("InstanceNumber", "IS", b"1.5 ").integer("InstanceNumber") is None
    for bounds in ((1, 5), (7, None)):
        found = raw("Rows", "US", b"\x06\x00")
        assert found.integer("Rows", *bounds) is None
        assert found.unparsable == ["Rows"]
    assert raw("Rows", "US", b"\x06\x00").integer("Rows", 6, 6) == 6


def test_bytes_are_no_number():
    found = raw("Rows", "OB", b"512 ")
    assert found.integer("Rows") is None
    assert found.unparsable == ["Rows"]


def test_sequences():
    dataset = pydicom.Dataset()
    dataset.ROIContourSequence = [pydicom.Dataset(), pydicom.Dataset()]
    assert len(Header(dataset).sequence("ROIContourSequence")) == 2
    assert Header(dataset).sequence("StructureSetROISequence") == []
    assert np.isscalar(header().number("RescaleSlope"))
