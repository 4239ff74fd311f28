"""What the standard asks of a header, at the edges."""

import pytest

from isocenter.rules.catalogue.conformance.impossible_bits import impossible_bits
from isocenter.rules.catalogue.conformance.missing_image_type import missing_image_type
from isocenter.rules.catalogue.conformance.missing_required_attributes import missing_required_attributes
from isocenter.rules.catalogue.conformance.private_object_class import private_object_class
from isocenter.rules.catalogue.conformance.undefined_image_type import undefined_image_type
from isocenter.rules.catalogue.identity.missing_uids import missing_uids
from isocenter.testing.rules import a_nifti, a_stack, issues_of


def test_each_absence_is_told_by_one_rule() -> None:
    uids = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    elsewhere = ("ImageType", "ImagePositionPatient", "Modality", "RescaleSlope", "Units")
    assert issues_of(missing_required_attributes, a_stack(absent=(*uids, *elsewhere))) == []
    assert len(issues_of(missing_uids, a_stack(absent=(*uids, *elsewhere)))) == 1
    assert issues_of(missing_uids, a_stack(absent=("SOPClassUID",))) == []
    assert issues_of(missing_required_attributes, a_stack(absent=("SOPClassUID",))) == [
        "1 mandatory attribute is missing: SOPClassUID"
    ]


@pytest.mark.parametrize(
    ("image_type", "missing", "undefined"),
    [
        ((), 1, 0),
        (("", ""), 1, 0),
        (("ORIGINAL", "PRIMARY"), 0, 0),
        (("derived", "secondary "), 0, 0),
        (("MIXED", "PRIMARY", "VOLUME", "MIXED"), 0, 0),
        (("ORIGINAL",), 0, 1),
        (("AXIAL", "CT"), 0, 2),
    ],
)
def test_image_type_is_missing_undefined_or_right(image_type, missing, undefined) -> None:
    stack = a_stack(image_type=image_type)
    assert len(issues_of(missing_image_type, stack)) == missing
    assert len(issues_of(undefined_image_type, stack)) == undefined


@pytest.mark.parametrize(
    ("allocated", "stored", "caught"),
    [
        (16, 12, False),
        (16, 16, False),
        (8, 8, False),
        (8, 12, True),
        (16, 0, True),
        (None, 12, False),
        (16, None, False),
    ],
)
def test_bits_that_cannot_be(allocated, stored, caught) -> None:
    stack = a_stack(bits_allocated=allocated, bits_stored=stored)
    assert bool(issues_of(impossible_bits, stack)) == caught


def test_formats_without_a_header_of_this_kind_are_left_alone() -> None:
    bare = a_nifti(absent=("SOPClassUID", "SeriesInstanceUID"), sop_class_uid="1.2.3", image_type=("AXIAL",))
    for rule in (missing_required_attributes, missing_uids, private_object_class, undefined_image_type):
        assert issues_of(rule, bare) == []
    assert issues_of(missing_image_type, a_nifti(modality="CT")) == []
