"""What the header must say."""

import pytest

from isocenter.model.attributes import Attribute
from isocenter.model.issue import Severity
from isocenter.rules.catalogue.header.missing_device import missing_device
from isocenter.rules.catalogue.header.missing_modality import missing_modality
from isocenter.rules.catalogue.header.modality_unlike_object import modality_unlike_object
from isocenter.rules.catalogue.header.undefined_modality import undefined_modality
from isocenter.rules.catalogue.header.unexpected_body_part import unexpected_body_part
from isocenter.rules.catalogue.header.unknown_mr_sequence import unknown_mr_sequence
from isocenter.rules.catalogue.header.unparsable_values import unparsable_values
from isocenter.testing.rules import a_nifti, a_series, a_stack, an_enhanced, issues_of


def test_formats_without_these_attributes_are_left_alone() -> None:
    bare = a_series(format="nifti", modality="", has_manufacturer=False, has_model=False)
    assert issues_of(missing_modality, bare) == issues_of(missing_device, bare) == []
    assert issues_of(modality_unlike_object, a_nifti(modality="MR")) == []


def test_an_unknown_device_goes_to_review_as_a_stratum_and_half_a_device_is_noted() -> None:
    (found,) = missing_device(a_series(has_manufacturer=False))
    assert (found.message, found.severity) == ("no manufacturer in the header", Severity.NOTE)
    (found,) = missing_device(a_series(has_manufacturer=False, has_model=False))
    assert (found.measured, found.severity) == ("device unknown", Severity.REVIEW)
    assert "screen.severity" in found.message


@pytest.mark.parametrize(
    ("found", "wanted", "severity"),
    [
        ("CHEST", ("chest",), None),
        ("Thorax", ("CHEST",), None),
        ("LUNG", ("CHEST",), None),
        ("CHEST_ABDOMEN", ("LIVER",), None),
        ("HIP", ("PELVIS",), None),
        ("HIP", ("LEG",), None),
        ("WHOLE BODY", ("PROSTATE",), None),
        ("KNEE", ("BODY",), None),
        ("TAIL", ("TAIL",), None),
        ("", ("CHEST",), Severity.NOTE),
        ("TAIL", ("CHEST",), Severity.REVIEW),
        ("CHEST", ("TAIL",), Severity.REVIEW),
        ("HEAD", ("CHEST", "ABDOMEN"), Severity.REJECT),
        ("KNEE", ("HAND",), Severity.REJECT),
    ],
)
def test_body_parts(found: str, wanted: tuple[str, ...], severity: Severity | None) -> None:
    stack = a_stack(attributes=(Attribute(name="body_part", value=found),))
    issues = list(unexpected_body_part(stack, wanted=wanted))
    assert [i.severity for i in issues] == ([] if severity is None else [severity])
    assert list(unexpected_body_part(stack)) == []


@pytest.mark.parametrize(
    ("modality", "severity"),
    [
        *((m, None) for m in ("CT", "MR", "PT", "DX", "CR", "US", "OT", "")),
        *((m, Severity.REJECT) for m in ("MRI", "mri", "XR", "CAT", "PET", "ct", "CT ")),
        ("ULTRA", Severity.REVIEW),
    ],
)
def test_words_for_a_modality_that_are_no_terms(modality: str, severity: Severity | None) -> None:
    found = [i.severity for i in undefined_modality(a_stack(modality=modality))]
    assert found == ([] if severity is None else [severity])
    assert list(undefined_modality(a_nifti(modality=modality))) == []


def test_objects_of_many_frames_and_derived_images_need_no_times_of_their_own() -> None:
    bare = {"modality": "MR", "attributes": (Attribute(name="model", value="ACME"),)}
    assert issues_of(unknown_mr_sequence, a_stack(**bare)) != []
    assert issues_of(unknown_mr_sequence, an_enhanced(**bare)) == []
    assert issues_of(unknown_mr_sequence, a_stack(**bare, image_type=("DERIVED", "PRIMARY", "ADC"))) == []
    assert issues_of(unknown_mr_sequence, a_stack(**(bare | {"modality": "CT"}))) == []


def test_grave_and_slight_attributes_weigh_differently() -> None:
    found = list(
        unparsable_values(a_stack(unparsable=("ImagePositionPatient", "PatientAge", "PatientWeight")))
    )
    assert [(i.message, i.severity) for i in found] == [
        ("no sense in ImagePositionPatient", Severity.REJECT),
        ("no sense in PatientAge, PatientWeight", Severity.NOTE),
    ]
    assert [i.severity for i in unparsable_values(a_stack(unparsable=("RescaleSlope",)), needed=())] == [
        Severity.NOTE
    ]


def test_only_classes_that_fix_the_modality_are_compared() -> None:
    assert issues_of(modality_unlike_object, a_stack(modality="MR", sop_class_uid="1.2.3")) == []
    assert issues_of(modality_unlike_object, a_stack(modality="")) == []
    film = a_stack(modality="CR", sop_class_uid="1.2.840.10008.5.1.4.1.1.7")
    assert issues_of(modality_unlike_object, film) == []
