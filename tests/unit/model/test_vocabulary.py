import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.model.annotation import Part
from isocenter.model.task import Label
from isocenter.model.vocabulary import Vocabulary, scrub

WORDS = Vocabulary(
    {
        "lesion": Label(value=1, aliases=("GTV*", "Läsion")),
        "heart": Label(value=2, aliases=("herz", "gtv-h*")),
    }
)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("GTV 1", "lesion"),
        ("  HEART ", "heart"),
        ("läsion", "lesion"),
        ("LÄSION", "lesion"),
        ("liver", None),
        ("gtv-h", None),
        ("", None),
    ],
)
def test_a_name_is_a_label_only_where_one_alone_fits(name, label):
    assert WORDS.label_of(name) == label


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("tumour Doe", "tumour *"),
        ("DOE_jane gtv", "*_* gtv"),
        ("İİ Meyer, Doe", "İİ Meyer, *"),
        ("x 19500102 y", "x * y"),
        ("GTV_Li limb Wu2 wu", "GTV_* limb Wu2 *"),
    ],
)
def test_the_subjects_own_identifiers_are_taken_out(text, clean):
    assert scrub(text, ["Doe^Jane", "19500102", "Li^Wu^X"]) == clean


@given(st.text(max_size=12), st.text(min_size=3, max_size=6), st.text(max_size=12))
def test_no_identifier_is_left_whatever_stands_around_it(before, name, after):
    if name.strip() == name and "*" not in name:
        assert name not in scrub(before + name + after, [name])


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("herz", ("heart", True)),
        ("GTV 1", ("lesion", False)),
        ("Lesion", ("lesion", True)),
        ("liver", (None, False)),
    ],
)
def test_a_match_says_whether_it_was_by_a_pattern(name, match):
    assert WORDS.match(name) == match


CODED = Vocabulary(
    {
        "heart": Label(value=1, aliases=("herz",), code="SCT:80891009"),
        "left": Label(value=2, aliases=("left lung",), code="SCT:39607008"),
        "right": Label(value=3, aliases=("right lung",), code="SCT:39607008"),
    }
)


@pytest.mark.parametrize(
    ("part", "label"),
    [
        (Part(key=1, name="anything", code="SCT:80891009"), "heart"),
        (Part(key=1, name="left lung", code="sct:80891009"), "heart"),
        (Part(key=1, name="herz", code="SCT:1"), "heart"),
        (Part(key=1, name="right lung", code="SCT:39607008"), "right"),
        (Part(key=1, name="lung", code="SCT:39607008"), None),
        (Part(key=1, name="lung", code="SCT:80891009/SCT:7771000"), None),
        (Part(key=1, name="lung", id="herz"), "heart"),
        (Part(key=1, name="left lung", id="herz"), "left"),
        (Part(key=1), None),
    ],
)
def test_an_equal_code_decides_then_the_name_then_the_identifier(part, label):
    assert CODED.match_part(part)[0] == label
