"""Whose image it is."""

import pytest

from isocenter.model.issue import Severity
from isocenter.rules.catalogue.identity.missing_patient_id import missing_patient_id
from isocenter.rules.catalogue.identity.suspected_burned_in_text import suspected_burned_in_text
from isocenter.testing.rules import a_series, a_stack, issues_of


def test_nobody_at_all_is_rejected_and_somebody_by_path_is_noted() -> None:
    noted = list(missing_patient_id(a_series(has_patient_id=False)))
    rejected = list(missing_patient_id(a_series(has_patient_id=False, subject="")))
    assert [i.severity for i in noted + rejected] == [Severity.NOTE, Severity.REJECT]


def test_files_that_never_hold_an_id_are_left_alone() -> None:
    assert issues_of(missing_patient_id, a_series(format="nifti", has_patient_id=False)) == []


@pytest.mark.parametrize(
    ("uid", "caught"),
    [
        ("1.2.840.10008.5.1.4.1.1.7", True),
        ("1.2.840.10008.5.1.4.1.1.7.2", True),
        ("1.2.840.10008.5.1.4.1.1.77.1.1", False),
        ("1.2.840.10008.5.1.4.1.1.2", False),
    ],
)
def test_secondary_captures_are_told_by_their_class(uid: str, caught: bool) -> None:
    assert bool(issues_of(suspected_burned_in_text, a_stack(sop_class_uid=uid))) == caught


def test_a_header_that_says_no_is_believed_only_on_demand() -> None:
    echo = a_stack(modality="US", burned_in_annotation="no ")
    assert len(issues_of(suspected_burned_in_text, echo)) == 1
    assert issues_of(suspected_burned_in_text, echo, trust_header=True) == []
    said = a_stack(burned_in_annotation="YES")
    assert len(issues_of(suspected_burned_in_text, said, trust_header=True)) == 1
