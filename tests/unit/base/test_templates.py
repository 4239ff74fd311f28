import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.base.templates import Template

NAME = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(subject=NAME, reader=NAME)
def test_what_is_filled_in_is_found_again(subject, reader):
    template = Template("a/{subject}/x/{reader}")
    path = template.fill({"subject": subject, "reader": reader})
    assert template.match(path) == {"subject": subject, "reader": reader}


@given(parts=st.lists(NAME, max_size=4), last=NAME)
def test_any_number_of_folders(parts, last):
    path = "/".join([*parts, last])
    assert Template("**/{name}").match(path) == {"name": last}
    assert Template("**").match(path) == {}
    assert (Template("*").match(path) is None) == bool(parts)


@given(NAME, NAME)
def test_a_name_that_stands_twice_matches_one_text(one, other):
    assert (Template("{a}/{a}").match(f"{one}/{other}") is not None) == (one == other)


@given(st.text(max_size=20))
def test_what_is_no_sign_of_a_template_stands_for_itself(text):
    plain = text.translate(dict.fromkeys(map(ord, "{*?"), "."))
    assert Template(plain).match(plain) == {}


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ("{s}/ct.nii.gz", "p/ct.nii.gz", {"s": "p"}),
        ("{s}/ct.nii.gz", "p/ctxnii.gz", None),
        ("{s}/ct.nii.gz", "q/p/ct.nii.gz", None),
        ("p?/*", "p1/x", {}),
        ("p?/*", "p12/x", None),
        ("{s}_{t}.nii", "a_b_c.nii", {"s": "a", "t": "b_c"}),
        ("x", "x\n", None),
    ],
)
def test_cases_told_in_words(text, path, found):
    assert Template(text).match(path) == found


def test_a_part_that_is_missing_cannot_be_filled():
    with pytest.raises(KeyError):
        Template("{a}").fill({})
    assert Template("{b}/{a}/{b}").names == ("b", "a")
