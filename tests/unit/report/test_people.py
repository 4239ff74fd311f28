from importlib import import_module

import pytest

from isocenter.model.attributes import Attribute, AttributeState
from isocenter.report.blocks import Cell

people = import_module("isocenter.report.sections.people")


@pytest.mark.parametrize(
    ("value", "years"),
    [
        ("045Y", 45),
        ("018M", 1.5),
        ("052W", 364 / 365.25),
        ("001D", 1 / 365.25),
        ("63", 63),
        ("7.5", 7.5),
        (" 45y ", 45),
    ],
)
def test_ages_of_dicom_and_plain_numbers(value: str, years: float):
    assert people.age_in_years(Attribute(name="age", value=value)) == pytest.approx(years)


@pytest.mark.parametrize("value", ["", "old", "-3", "400", "1e2", "045Q", "nan"])
def test_what_is_no_age(value: str):
    assert people.age_in_years(Attribute(name="age", value=value)) is None


def test_withheld_is_no_age_whatever_it_holds():
    assert people.age_in_years(Attribute(name="age", value="45", state=AttributeState.WITHHELD)) is None


def test_missing_withheld_and_deidentified_are_told_apart_from_values(facts):
    things = [Attribute(name="sex", value=v) for v in ("F", "F", "missing", "")]
    things += [Attribute(name="sex", state=s) for s in AttributeState if s != AttributeState.KNOWN]
    table = people._values("Sex", things, "Subjects", {"F": "female"})
    rows = [(c.text, c.is_quiet, n.text) for c, n, _ in table.rows if isinstance(c, Cell)]
    assert rows == [
        ("female", False, "2"),
        ("missing", False, "1"),
        ("de-identified", True, "1"),
        ("missing", True, "2"),
        ("withheld", True, "1"),
    ]


def test_loss_is_shown_where_it_is_known():
    told = (Attribute(name="lossy", value="yes"), Attribute(name="compression_ratio", value="8"))
    things = [people._Thing(subject=s, site="a", attributes=told) for s in ("one", "two")]
    (beside,) = people._scanners(things, "case")
    assert [t.caption for t in beside.blocks] == ["Compressed with loss", "Compression ratio"]
