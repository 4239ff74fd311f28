from dataclasses import fields

import pytest
from pydicom import Dataset

from isocenter import index
from isocenter.stages.index.attributes import ATTRIBUTES, Person, attributes_of, gather
from isocenter.stages.index.attributes import personal as personal_of
from tests.contracts.files import ct_dataset, dicom_bytes
from tests.unit.stages.index.test_frames import made_of
from tests.unit.stages.rows import a_slice


def known(rows, study=None, subject=None):
    own, removed = gather(map(person, rows))[0], any(r.identity_removed for r in rows)
    first = {f.name: getattr(rows[0], f.name) for f in fields(rows[0])}
    made = attributes_of(first, own, study or {}, subject or {}, is_deidentified=removed)
    return {a.name: a for a in made}


def person(row):
    return Person(*(getattr(row, n) for n in Person._fields))


def personal(row):
    return personal_of(person(row))


@pytest.mark.parametrize(
    ("age", "years"),
    [
        ("047Y", "47"),
        ("090Y", "90"),
        ("104Y", "90"),
        ("018M", "1"),
        ("011M", "0"),
        ("052W", "0"),
        ("053W", "1"),
        ("365D", "0"),
        ("366D", "1"),
    ],
)
def test_age_is_in_whole_years_and_ninety_is_the_oldest(age, years):
    assert personal(a_slice(age=age))["age_years"] == years


def test_every_twelfth_month_is_a_year():
    assert [personal(a_slice(age=f"{12 * n:03}M"))["age_years"] for n in range(80)] == [
        str(n) for n in range(80)
    ]


@pytest.mark.parametrize(
    ("born", "studied", "years"),
    [("19500602", "20000601", "49"), ("19500601", "20000601", "50"), ("18900101", "20000101", "90")],
)
def test_age_is_reckoned_from_dates_where_no_age_is_given(born, studied, years):
    assert personal(a_slice(birth_date=born, study_date=studied))["age_years"] == years


@pytest.mark.parametrize(
    "bad",
    [
        {"age": "47"},
        {"sex": "X"},
        {"weight_kg": 0.0},
        {"weight_kg": -3.0},
        {"weight_kg": 0.07},
        {"weight_kg": 1200.0},
        {"weight_kg": 7e6},
        {"birth_date": "20010101", "study_date": "20000101"},
    ],
)
def test_what_makes_no_sense_is_left_out(bad):
    assert personal(a_slice(**bad)) == {}


@pytest.mark.parametrize(
    ("written", "kg"), [(70.0, "70"), (70_000.0, "70"), (12_500.0, "12.5"), (350.0, "350")]
)
def test_a_weight_is_in_kilograms_even_where_it_was_written_in_grams(written, kg):
    """As for uptake values, which take 70,000 for grams: what can be no other unit."""
    assert personal(a_slice(weight_kg=written)) == {"weight_kg": kg}


def test_personal_attributes_are_looked_up_series_study_subject():
    rows = [a_slice(0), a_slice(1, sex="F")]
    assert (known(rows)["sex"].value, known(rows)["sex"].source) == ("F", "series")
    found = known([a_slice()], {"weight_kg": "70"}, {"sex": "M", "age_years": "50"})
    assert (found["weight_kg"].value, found["weight_kg"].source) == ("70", "study")
    assert (found["sex"].value, found["sex"].source) == ("M", "subject")
    assert (found["age_years"].value, found["age_years"].state) == (
        "",
        "missing",
    )  # of another study: it has changed


def test_taken_away_is_not_the_same_as_never_there():
    for bad in (None, "", "X"):  # a dummy is no value either
        assert known([a_slice(identity_removed=True, sex=bad)])["sex"].state == "de-identified"
    assert known([a_slice(identity_removed=True, sex="F")])["sex"].state == "known"
    assert known([a_slice()])["sex"].state == "missing"


def test_headers_that_disagree_are_named_and_give_no_value():
    values, conflicts = gather(map(person, [a_slice(sex="F", age="050Y"), a_slice(1, sex="M", age="050Y")]))
    assert (values, conflicts) == ({"age_years": "50"}, {"sex"})


def test_every_attribute_that_the_index_gives_can_be_asked_for():
    """A config that names any other is refused (`channels.*.where`)."""
    lossy = "1.2.840.10008.1.2.4.50"
    rows = [
        a_slice(0, transfer_syntax_uid=lossy, is_lossy=True, lossy_ratio="10", lossy_method="ISO_10918_1"),
        a_slice(1, series_uid="1.10", modality="DX", position_mm=(), orientation=()),
        a_slice(2, series_uid="1.11", modality="MR", echo_time_ms=3.0, b_value=0.0, contrast_agent="x"),
    ]
    found = {a.name for stack in made_of(rows, []).stacks for a in stack.attributes}
    assert {"lossy", "compression_ratio", "echo_time_ms"} <= found
    assert found <= set(ATTRIBUTES)


def test_stacks_of_one_pet_series_keep_the_dose_beside_what_is_their_own(tmp_path):
    tracer = Dataset()
    tracer.RadionuclideTotalDose, tracer.RadiopharmaceuticalStartTime = "370000000", "090000"
    told = {"Modality": "PT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "Units": "BQML"}
    told |= {"SeriesTime": "100000", "AcquisitionTime": "100000", "SeriesDate": "20240311"}
    told |= {"AcquisitionDate": "20240311", "RadiopharmaceuticalInformationSequence": [tracer]}
    for k in range(6):
        own = (
            {"SliceThickness": "2", "PixelSpacing": [1, 1]}
            if k < 3
            else {"SliceThickness": "5", "PixelSpacing": [2, 2]}
        )
        (tmp_path / f"{k}.dcm").write_bytes(dicom_bytes(ct_dataset(k, **told, **own)))
    stacks = index(tmp_path, workspace=tmp_path / "work").stacks
    assert sorted(s.attribute("slice_thickness_mm") for s in stacks) == ["2", "5"]
    for stack in stacks:
        names = [a.name for a in stack.attributes]
        assert [names.count(n) for n in ("slice_thickness_mm", "injected_dose_mbq", "lossy")] == [1, 1, 1]
        assert stack.attribute("injected_dose_mbq") == "370"
