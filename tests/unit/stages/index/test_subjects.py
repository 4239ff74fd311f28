import pytest

from isocenter.model.rows import AnnotationObject
from isocenter.stages.index.options import Source, SubjectFrom
from isocenter.stages.index.subjects import SubjectFinder
from tests.unit.stages.rows import NAMES, a_slice


def finder(table=None, site="site-1", **how):
    return SubjectFinder(Source(path="", site=site, subject=SubjectFrom(**how)), NAMES, table)


def test_one_id_at_two_centres_is_two_people():
    one = finder(site="a").find("x", a_slice())
    other = finder(site="b").find("x", a_slice())
    assert one.subject != other.subject
    assert (one.site, other.site) == ("a", "b")


def test_one_id_of_two_issuers_is_two_people():
    found = {finder().find("x", a_slice(patient_id_issuer=i)).subject for i in (None, "WARD", "CLINIC")}
    assert len(found) == 3


def test_a_pattern_names_subject_centre_and_time_point():
    how = {"pattern": ("{site}/{subject}/{timepoint}/*", "{subject}/*")}
    found = finder(**how).find("lyon/p1/2001/a.dcm", a_slice())
    assert (found.site, found.timepoint) == ("lyon", "2001")
    assert found.subject == finder(site="lyon", **how).find("p1/a.dcm", a_slice()).subject
    assert finder(**how).find("a.dcm", a_slice()).subject == ""


def test_a_table_maps_what_tag_or_pattern_yields():
    table = {"P-17": "person", "p1": "person"}
    by_tag = finder(table).find("x", a_slice(patient_id=" P-17 "))
    by_pattern = finder(table, pattern=("{subject}/*",)).find("p1/a", a_slice())
    assert by_tag.subject == by_pattern.subject != ""
    assert finder(table).find("x", a_slice(patient_id="P-18")).subject == ""


@pytest.mark.parametrize(
    "raw", ["ANONYMOUS", "anon", "0", "000", "1", "Unknown", "TEST", "N/A", "no_id", "Test Patient", "XXXX"]
)
def test_a_placeholder_is_told(raw):
    assert finder().find("x", a_slice(patient_id=raw)).is_dummy


@pytest.mark.parametrize("raw", ["ANON-0017", "anon_0001", "TEST42", "10", "P-17", "Nonell"])
def test_an_id_that_may_be_one_persons_is_none(raw):
    assert not finder().find("x", a_slice(patient_id=raw)).is_dummy


def test_a_folder_may_be_called_one_but_not_unknown():
    found = finder(pattern=("{subject}/*",))
    assert not found.find("1/a", a_slice()).is_dummy
    assert found.find("unknown/a", a_slice()).is_dummy


def test_a_study_can_stand_for_its_subject():
    found = finder(tag="StudyInstanceUID")
    assert (
        found.find("x", a_slice(patient_id=None)).subject
        != found.find("x", a_slice(study_uid="1.80")).subject
    )


def test_a_name_stands_for_the_subject_of_images_and_annotations_alike():
    contours = AnnotationObject(
        file_id="rts", source=0, site="site-1", format="rtstruct", patient_name="Meyer^Jo"
    )
    found = finder(tag="PatientName")
    assert found.find("x", contours) == found.find("y", a_slice(patient_name="Meyer^Jo"))
    assert found.find("x", contours).subject


def test_what_the_layout_says_comes_first():
    assert finder().find("x", a_slice(), "case_1").subject == NAMES.of("sub", "", "case_1", "site-1")
