"""From the texts of a PET's headers to facts without dates."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.model.suv import BedTime
from isocenter.stages.index.tracer import attributes_of, facts_of

BASE = {
    "SeriesDate": "20240311",
    "SeriesTime": "100000",
    "AcquisitionDate": "20240311",
    "AcquisitionTime": "100000",
    "RadiopharmaceuticalStartTime": "090000",
    "RadionuclideTotalDose": "370000000",
    "RadionuclideHalfLife": "6586.2",
    "Tracers": "1",
    "CorrectedImage": "DECY\\ATTN",
}


def facts(*changes, whole=(), units=("BQML",)):
    own = [{k: v for k, v in {**BASE, **c}.items() if v is not None} for c in changes or ({},)]
    return facts_of(units, own, [*own, *({**BASE, **w} for w in whole)])


def test_times_count_from_the_first_acquisition_of_the_series():
    found = facts({"AcquisitionTime": "101500"}, whole=({"AcquisitionTime": "095930.5"},))
    assert found.series_seconds == 29.5
    assert found.injected_seconds == -3570.5
    assert [b.acquired_seconds for b in found.beds] == [0.0, 929.5]


def test_beds_are_told_once_each():
    bed = {"ActualFrameDuration": "180000", "DecayFactor": "1.1", "FrameReferenceTime": "0"}
    found = facts(bed, bed, {**bed, "DecayFactor": "1.2"})
    assert found.beds == (
        BedTime(acquired_seconds=0.0, duration_seconds=180.0, decay_factor=1.1, reference_seconds=0.0),
        BedTime(acquired_seconds=0.0, duration_seconds=180.0, decay_factor=1.2, reference_seconds=0.0),
    )


@pytest.mark.parametrize(("one", "other"), [("70", "70.0"), ("370000000", "3.7E8")])
def test_a_number_written_in_two_ways_is_one(one, other):
    assert facts({"PatientWeight": one}, {"PatientWeight": other}).differing == ()


def test_slices_that_disagree_are_named():
    found = facts({}, {"RadionuclideTotalDose": "1", "Nuclide": "F-18"}, units=("BQML", "CNTS"))
    assert found.differing == ("Units", "the nuclide", "Radionuclide Total Dose")


@pytest.mark.parametrize("text", ["seventy", "1_0", "nan", "inf", "70 kg"])
def test_what_is_no_number_is_missing(text):
    assert facts({"PatientWeight": text}).weight is None


@pytest.mark.parametrize("text", ["", "25", "10", "1060", "10.5", "10:00", "1000.5", "tea time"])
def test_clock_times_are_read_or_missing(text):
    assert facts({"SeriesTime": text}).series_seconds == (0.0 if text == "10:00" else None)


def test_no_text_of_a_header_gets_out():
    """Terms of the standard alone: a stack's row names nobody."""
    found = facts(
        dict.fromkeys(("SUVType", "DecayCorrection", "PatientSex", "CorrectedImage"), "Doe Jane"),
        units=("BQML",),
    )
    assert "DOE" not in str(found).upper()
    assert "2024" not in str(found)


def test_dose_and_uptake_become_attributes():
    found = {(a.name, a.value, a.unit) for a in attributes_of(facts())}
    assert found == {("injected_dose_mbq", "370", "MBq"), ("uptake_minutes", "60", "min")}


@pytest.mark.parametrize(("series", "minutes"), [("153000", "60"), ("095500", "55"), ("080000", "60")])
def test_uptake_ends_with_the_series_time_only_where_that_can_be_the_start(series, minutes):
    """Not where it is later than the first slice, or earlier than the injection."""
    found = {a.name: a.value for a in attributes_of(facts({"SeriesTime": series}))}
    assert found["uptake_minutes"] == minutes


@pytest.mark.parametrize("changes", [{"RadiopharmaceuticalStartTime": "110000"}, {"AcquisitionTime": None}])
def test_an_uptake_time_that_makes_no_sense_is_no_attribute(changes):
    assert {a.name for a in attributes_of(facts(changes))} == {"injected_dose_mbq"}


@given(
    st.datetimes(*(datetime.fromisoformat(d) for d in ("1990-01-01", "2060-01-01"))),
    st.integers(0, 86_399),
    st.booleans(),
)
def test_any_injection_of_the_last_day_is_as_long_ago_as_it_was(scan, seconds, has_date):
    """Whatever midnight, month or leap day lies between, and with or without a date."""
    scan = scan.replace(microsecond=0)
    injected = scan - timedelta(seconds=seconds)
    told = {
        "SeriesDate": f"{scan:%Y%m%d}",
        "AcquisitionDate": f"{scan:%Y%m%d}",
        "SeriesTime": f"{scan:%H%M%S}",
        "AcquisitionTime": f"{scan:%H%M%S}",
        "RadiopharmaceuticalStartTime": f"{injected:%H%M%S}",
    }
    if has_date:
        told["RadiopharmaceuticalStartDateTime"] = f"{injected:%Y%m%d%H%M%S}"
    found = facts(told)
    assert found.doubts == ()
    assert found.injected_seconds == -seconds
    assert found.injected_by == ("datetime" if has_date else "time")


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"RadiopharmaceuticalStartTime": "09"}, "Radiopharmaceutical Start Time cannot be understood"),
        ({"AcquisitionTime": "10"}, "Acquisition Time cannot be understood"),
        (
            {"AcquisitionTime": None, "AcquisitionDateTime": "2024031110"},
            "Acquisition Time cannot be understood",
        ),
        ({"RadiopharmaceuticalStartDateTime": "2024031109"}, "Start DateTime cannot be understood"),
        ({"DecayCorrectionDateTime": "2024031109+0100"}, "Decay Correction DateTime cannot be understood"),
    ],
)
def test_hours_alone_are_no_time(changes, doubt):
    """They may be wrong by an hour, which is a third of the activity of F-18."""
    found = facts(changes)
    assert doubt in " ".join(found.doubts)
    assert found.injected_seconds is None or "Radio" not in doubt


UTC, EAST, WEST = "20240311080000+0000", "20240311090000+0100", "20240311040000-0400"
ACQUIRED = {"AcquisitionTime": None, "AcquisitionDate": None, "RadiopharmaceuticalStartTime": None}


@pytest.mark.parametrize("injected", [UTC, EAST, WEST])
@pytest.mark.parametrize("acquired", ["20240311090000+0000", "20240311100000+0100", "20240311053000-0330"])
def test_each_time_is_that_of_its_own_zone(acquired, injected):
    told = {"AcquisitionDateTime": acquired, "RadiopharmaceuticalStartDateTime": injected, "SeriesTime": None}
    found = facts({**ACQUIRED, **told})
    assert (found.injected_seconds, found.doubts) == (-3600.0, ())


def test_a_time_without_a_zone_is_in_that_of_the_object():
    """An hour lies between 22:50 in London and 22:50 in Berlin."""
    told = {
        "AcquisitionDateTime": "20240101225000+0000",
        "RadiopharmaceuticalStartDateTime": "20240101225000",
    }
    found = facts(
        {
            **ACQUIRED,
            **told,
            "TimezoneOffsetFromUTC": "+0100",
            "SeriesDate": "20240101",
            "SeriesTime": "235000",
        }
    )
    assert (found.injected_seconds, found.series_seconds, found.doubts) == (-3600.0, 0.0, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"RadiopharmaceuticalStartDateTime": EAST},
        {**ACQUIRED, "AcquisitionDateTime": EAST, "RadiopharmaceuticalStartDateTime": "20240311080000"},
        {**ACQUIRED, "AcquisitionDateTime": EAST, "RadiopharmaceuticalStartTime": "080000"},
        {"DecayCorrectionDateTime": EAST},
        {"GEScanDateTime": EAST},
        {"RadiopharmaceuticalStartDateTime": EAST, "TimezoneOffsetFromUTC": "CET"},
    ],
)
def test_times_with_and_without_a_zone_cannot_be_compared(changes):
    assert "some times have a time zone and others have none" in " ".join(facts(changes).doubts)
    assert not {a.name for a in attributes_of(facts(changes))} & {"uptake_minutes"}


@pytest.mark.parametrize(
    ("injected", "doubts"),
    [("20241027015900+0200", 0), ("20241026235900+0000", 0), ("20241027015900", 1), (None, 1)],
)
def test_slices_of_several_zones_are_of_one_scan(injected, doubts):
    """Clocks go back while the scan runs: 2:59 in summer, 2:04 in winter time; which of them is the injection's?"""
    told = {
        "AcquisitionDate": "20241027",
        "SeriesDate": "20241027",
        "SeriesTime": None,
        "RadiopharmaceuticalStartTime": None if injected else "015900",
        "RadiopharmaceuticalStartDateTime": injected,
    }
    found = facts(
        {**told, "AcquisitionTime": "025900", "TimezoneOffsetFromUTC": "+0200"},
        {**told, "AcquisitionTime": "020400", "TimezoneOffsetFromUTC": "+0100"},
    )
    assert [b.acquired_seconds for b in found.beds] == [0.0, 300.0]
    assert len(found.doubts) == doubts
    assert doubts or found.injected_seconds == -3600.0


@given(
    st.datetimes(*(datetime.fromisoformat(d) for d in ("1990-01-01", "2060-01-01"))),
    st.integers(0, 43_200),
    st.integers(-48, 56),
    st.integers(-48, 56),
    st.booleans(),
)
def test_zones_change_no_time_that_lies_between(scan, seconds, there, here, has_date):
    """Against the time zones of the standard library."""
    zones = [timezone(timedelta(minutes=15 * n)) for n in (there, here)]
    scan = scan.replace(microsecond=0, tzinfo=zones[1])
    injected = (scan - timedelta(seconds=seconds)).astimezone(zones[0] if has_date else zones[1])
    told = {
        "SeriesDate": f"{scan:%Y%m%d}",
        "AcquisitionDate": f"{scan:%Y%m%d}",
        "SeriesTime": f"{scan:%H%M%S}",
        "AcquisitionTime": f"{scan:%H%M%S}",
        "TimezoneOffsetFromUTC": f"{scan:%z}",
        "RadiopharmaceuticalStartTime": None if has_date else f"{injected:%H%M%S}",
        "RadiopharmaceuticalStartDateTime": f"{injected:%Y%m%d%H%M%S%z}" if has_date else None,
    }
    found = facts(told)
    assert (found.injected_seconds, found.series_seconds, found.doubts) == (-seconds, 0.0, ())
