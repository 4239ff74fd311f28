"""What the header must say."""

from isocenter.model.issue import Severity
from isocenter.rules.catalogue.header.missing_device import missing_device
from isocenter.rules.catalogue.header.missing_modality import missing_modality
from isocenter.rules.catalogue.header.modality_unlike_object import modality_unlike_object
from isocenter.rules.catalogue.header.unparsable_values import unparsable_values
from isocenter.testing.rules import a_nifti, a_series, a_stack, issues_of


def test_formats_without_these_attributes_are_left_alone() -> None:
    bare = a_series(format="nifti", modality="", has_manufacturer=False, has_model=False)
    assert issues_of(missing_modality, bare) == issues_of(missing_device, bare) == []
    assert issues_of(modality_unlike_object, a_nifti(modality="MR")) == []


def test_a_missing_device_is_a_note_so_that_no_deidentified_centre_is_lost() -> None:
    found = list(missing_device(a_series(has_manufacturer=False)))
    assert [(i.message, i.severity) for i in found] == [("no manufacturer in the header", Severity.NOTE)]


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
