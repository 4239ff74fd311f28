"""One ID that stands for several people is told; one person whose headers differ in writing is not."""

import pytest

from isocenter.model.rows import AnnotationObject
from isocenter.stages.index.options import Source, SubjectFrom
from isocenter.stages.index.subjects import SubjectFinder
from tests.unit.stages.grouping import Found, grouped
from tests.unit.stages.rows import NAMES, a_slice, file_of


def told(*people, subject=SubjectFrom(), table=None, objects=()):  # noqa: B008 - frozen
    """Issues on subjects of series of one ID whose headers say these things."""
    found = [
        Found(row=file_of(r), instance=r)
        for r in (
            a_slice(n, series_uid=f"1.9.{n}", study_uid=f"1.8.{n}", **changes)
            for n, changes in enumerate(people)
        )
    ]
    found += [
        Found(row=file_of(a_slice(file_id=o.file_id), kind="dicom-rtstruct"), annotation=o) for o in objects
    ]
    finder = SubjectFinder(Source(path="", subject=subject), NAMES, table)
    made = grouped(found, [finder], {}, [None], NAMES)
    assert all(i.target in {"", *(s.subject for s in made.series)} for i in made.issues)
    return [(i.rule.partition("/")[2], i.measured) for i in made.issues]


MEYER = {"patient_name": "Meyer^Jo", "birth_date": "19610203", "sex": "M"}
SCHMIDT = {"patient_name": "Schmidt^Eva", "birth_date": "19500101", "sex": "F"}


def test_one_id_of_two_people_is_told_and_names_nobody():
    issues = dict(told(MEYER, SCHMIDT, MEYER))
    assert issues["shared-subject"] == "2 names, 2 birth dates, 2 sexes"
    assert issues["conflicting-attribute"] == "sex: two values"


def test_two_birth_dates_of_one_name_are_enough():
    assert told(MEYER, MEYER | {"birth_date": "19610302"}) == [
        ("shared-subject", "1 name, 2 birth dates, 1 sex")
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"patient_name": "MEYER JO"},
        {"patient_name": "meyer^jo^^"},
        {"patient_name": ""},
        {"patient_name": "Meyer-Huber^Jo"},  # a name may change
        {"birth_date": None, "sex": None},
        {"birth_date": " "},
    ],
)
def test_one_person_written_in_several_ways_is_one(other):
    assert told(MEYER, MEYER | other) == []


def test_the_wrong_sex_alone_is_an_attribute_in_conflict_and_no_more():
    assert told(MEYER, MEYER | {"sex": "F"}) == [("conflicting-attribute", "sex: two values")]


def test_people_whom_a_table_brings_together_are_not_doubted():
    assert "shared-subject" not in dict(told(MEYER, SCHMIDT, table={"P-17": "one"}))


def test_annotation_objects_count_as_well():
    other = AnnotationObject(
        file_id="rts", source=0, site="site-1", format="rtstruct", patient_id="P-17", birth_date="19500101"
    )
    assert told(MEYER, objects=[other]) == [("shared-subject", "1 name, 2 birth dates, 1 sex")]


def test_ids_at_two_issuers_are_two_people():
    assert told(MEYER | {"patient_id_issuer": "WARD"}, SCHMIDT) == []
