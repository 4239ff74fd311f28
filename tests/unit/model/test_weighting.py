"""Sequences by their times: protocols as published, none of which may be taken for another."""

from dataclasses import replace

import pytest

from isocenter.model.attributes import Attribute
from isocenter.model.selection import matches, values_of
from isocenter.model.weighting import WEIGHTINGS, weighting, weighting_of
from isocenter.testing.rules import a_stack

# Of the brain protocols of ADNI 3 (MPRAGE, FLAIR), of the fastMRI and BraTS descriptions, and of textbooks.
PROTOCOLS = [
    ("T1", 2.98, 2300, 900),
    ("T1", 9, 550, None),
    ("T1", 4.6, 180, None),
    ("T2", 96, 5000, None),
    ("T2", 100, 2800, None),
    ("PD", 13, 3000, None),
    ("FLAIR", 119, 9000, 2250),
    ("FLAIR", 441, 4800, 1650),
    ("STIR", 50, 4500, 150),
    ("", 30, 3000, None),  # BOLD, echo-planar
    ("", 20, 650, None),  # T2* gradient echo
    ("", 2.2, 4.4, None),  # balanced steady state
    ("", 1.2, 3.5, None),  # angiography
    ("", None, None, None),
    ("", 90, None, None),
]


def mr(**attributes: str):
    image_type = attributes.pop("image_type", "ORIGINAL PRIMARY M").split()
    found = tuple(Attribute(name=n, value=v) for n, v in attributes.items())
    return a_stack(modality="MR", attributes=found, image_type=tuple(image_type))


@pytest.mark.parametrize(("expected", "echo", "repetition", "inversion"), PROTOCOLS)
def test_protocols_are_told_apart(expected, echo, repetition, inversion):
    assert weighting(echo, repetition, inversion) == expected


def test_diffusion_is_told_by_its_b_value_and_a_map_by_its_image_type():
    times = {"echo_time_ms": "90", "repetition_time_ms": "6000"}
    assert weighting_of(mr(**times, b_value="0")) == "T2"
    assert weighting_of(mr(**times, b_value="1000")) == "DWI"
    assert weighting_of(mr(**times, b_value="1000", image_type="DERIVED PRIMARY DIFFUSION adc")) == "ADC"
    assert weighting_of(a_stack(modality="CT", image_type=("ORIGINAL", "PRIMARY", "ADC"))) == ""
    assert weighting_of(mr(echo_time_ms="no number")) == ""
    assert set(WEIGHTINGS) >= {p[0] for p in PROTOCOLS if p[0]}


@pytest.mark.parametrize(
    "kind", ["PERFUSION_FFE PERFUSION FFE", "M FIELD_MAP REAL", "P NORM", "T1 MAP", "PCA VELOCITY"]
)
def test_times_say_nothing_of_maps_phases_and_perfusion(kind):
    times = {"echo_time_ms": "9", "repetition_time_ms": "4250"}
    assert weighting_of(mr(**times)) == "PD"
    assert weighting_of(mr(**times, image_type=f"ORIGINAL PRIMARY {kind}")) == ""


@pytest.mark.parametrize(
    "kind", ["FA", "DIFFUSION FA", "EADC ND", "DIFFUSION EXP", "TENSOR_B0", "T2 MAP", "P NORM"]
)
def test_maps_that_kept_the_b_value_of_what_they_were_made_of_are_no_diffusion_images(kind):
    times = {"echo_time_ms": "90", "repetition_time_ms": "6000", "b_value": "1000"}
    assert weighting_of(mr(**times, image_type=f"DERIVED PRIMARY {kind}")) == ""
    assert weighting_of(mr(**times, image_type="DERIVED PRIMARY DIFFUSION TRACEW FAST EXPERT")) == "DWI"


def test_a_stack_on_an_axis_has_its_own_echo_and_b_value():
    stack = mr(echo_time_ms="90", repetition_time_ms="6000", b_value="0")
    assert weighting_of(replace(stack, axis="b-value", axis_value=800.0)) == "DWI"
    assert weighting_of(replace(stack, axis="echo", axis_value=12.0)) == "PD"
    assert weighting_of(replace(stack, axis="time", axis_value=12.0)) == "T2"


def test_a_channel_selects_by_weighting_by_numbers_and_by_contrast():
    stack = mr(echo_time_ms="96.5", repetition_time_ms="5000", contrast_agent="Gadobutrol")
    assert values_of(stack, "", "weighting") == ("T2",)
    for conditions, is_wanted in (
        ({"weighting": "t2"}, True),
        ({"weighting": "T1"}, False),
        ({"echo_time_ms": "60..120"}, True),
        ({"echo_time_ms": "96.5..96.5"}, True),
        ({"echo_time_ms": "..96"}, False),
        ({"echo_time_ms": "97.."}, False),
        ({"repetition_time_ms": "2000.."}, True),
        ({"inversion_time_ms": ".."}, False),
        ({"inversion_time_ms": "..9999"}, False),
        ({"contrast_agent": "?*"}, True),
        ({"contrast_agent": ""}, False),
        ({"contrast_agent": "0..9"}, False),
        ({"inversion_time_ms": ""}, True),
    ):
        assert matches(stack, "", conditions) is is_wanted, conditions
