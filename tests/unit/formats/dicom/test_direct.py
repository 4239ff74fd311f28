"""What is made from places alone is what pydicom would have read, or nothing."""

import io
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from isocenter.formats.dicom.direct import dataset_of
from isocenter.formats.dicom.once import tag_of
from isocenter.formats.dicom.survey import check_structure
from isocenter.formats.limits import DEFAULT_LIMITS
from tests.contracts.files import ct_dataset, dicom_bytes, item

KEYWORDS = ["PatientName", "PatientID", "Rows", "PixelSpacing", "ReferencedImageSequence", "RescaleSlope"]
TAGS = np.array(sorted(map(tag_of, [*KEYWORDS, "SpecificCharacterSet"])), np.int64)
NOTHING = np.zeros(0, np.int64)


def directly(data, most_bytes=1 << 20, but=()):
    file = io.BytesIO(data)
    survey = check_structure(file, len(data), DEFAULT_LIMITS, NOTHING, float("inf"), TAGS)
    return dataset_of(file, survey, most_bytes, but)


def by_pydicom(data):
    return pydicom.dcmread(io.BytesIO(data), specific_tags=KEYWORDS, stop_before_pixels=True, force=True)


def told(dataset):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(dataset), str(dataset.file_meta), dataset.original_character_set


def slices(**others):
    out = ct_dataset(PatientName="Müller^Änne", SpecificCharacterSet="ISO_IR 100", **others)
    out.ReferencedImageSequence = [item(ReferencedSOPInstanceUID=f"1.2.{n}") for n in range(3)]
    return out


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
)
def test_it_is_what_pydicom_reads(syntax):
    data = dicom_bytes(slices(), syntax)
    found = directly(data)
    assert found is not None
    assert told(found) == told(by_pydicom(data))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_sequence_of_undefined_length_is_read_by_the_parser_alone(syntax):
    dataset = slices()
    dataset["ReferencedImageSequence"].is_undefined_length = True
    data = dicom_bytes(dataset, syntax)
    found = directly(data)
    assert [i.ReferencedSOPInstanceUID for i in found.ReferencedImageSequence] == ["1.2.0", "1.2.1", "1.2.2"]
    assert told(found) == told(by_pydicom(data))


def test_without_a_character_set_and_with_empty_values():
    data = dicom_bytes(ct_dataset(PatientName="", PixelSpacing=None), ExplicitVRLittleEndian)
    assert told(directly(data)) == told(by_pydicom(data))


def test_what_is_not_wanted_after_all_is_left_out():
    found = directly(dicom_bytes(slices(), ExplicitVRLittleEndian), but={tag_of("PatientID")})
    assert "PatientID" not in found
    assert "Rows" in found


def changed(data, old, new):
    assert data.count(old) == 1
    return data.replace(old, new)


GOOD = dicom_bytes(slices(), ExplicitVRLittleEndian)
SYNTAX = b"1.2.840.10008.1.2.1\0"


@pytest.mark.parametrize(
    "data",
    [
        GOOD[132:],
        changed(GOOD, SYNTAX, b"1.2.840.10008.1.2\0\0\0"),
        changed(GOOD, SYNTAX, b"1.2.840.10008.1.2.x\0"),
        changed(GOOD, b"ISO_IR 100", b"ISO_IR 199"),
        changed(GOOD, b"\x10\x00\x10\x00PN", b"\x10\x00\x10\x00ZZ"),
    ],
)
def test_what_is_odd_is_left_to_the_parser(data):
    assert directly(data) is None


def test_an_element_that_is_there_twice_is_left_to_the_parser():
    place = GOOD.index(b"\x10\x00\x20\x00LO")
    count = 8 + int.from_bytes(GOOD[place + 6 : place + 8], "little")
    assert directly(GOOD[:place] + GOOD[place : place + count] + GOOD[place:]) is None


def test_more_bytes_than_a_header_may_have_are_left_to_the_parser():
    assert directly(GOOD, most_bytes=16) is None
