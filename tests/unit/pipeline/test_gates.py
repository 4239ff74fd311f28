"""What a gate says: each reason with what to do about it, once, and where to read about a rule."""

from collections import Counter

import pytest

from isocenter.model.reasons import REASONS
from isocenter.model.rows import Stack
from isocenter.pipeline.gates import _advice, _listed, _modality, _reasons
from isocenter.pipeline.stages import STAGES


def test_a_known_reason_comes_with_what_to_do_once():
    text = _advice(["enrol/no-annotation", "enrol/no-annotation", ""])
    assert text == REASONS["enrol/no-annotation"].what_to_do


def test_a_rule_is_named_by_the_command_that_tells_about_it():
    text = _advice(["values/constant-image", "geometry/gantry-tilt"])
    assert "isocenter rules geometry/gantry-tilt, isocenter rules values/constant-image" in text
    assert "screen.ignore" in text


def test_many_reasons_are_counted_and_the_most_frequent_come_first():
    assert _reasons(["b", "a", "b", ""]) == "b 2, a 1"
    assert _listed(Counter()) == "nothing"
    assert _listed(Counter({str(n): 1 for n in range(20)})).count(",") == 7


def test_every_stage_but_the_report_may_have_a_gate():
    from isocenter.pipeline.gates import _GATES

    assert set(_GATES) == set(STAGES) - {"report"}


@pytest.mark.parametrize(
    ("stored", "told"),
    [("CT", "CT"), ("MEYER JO", "other"), ("MEYER", "other"), ("", "nifti without modality")],
)
def test_a_modality_is_told_in_defined_terms_only(stored, told):
    stack = Stack(
        id="s", series="s", study="s", subject="s", site="a", source=0, timepoint="", format="nifti", modality=stored,
        files=("f",), frames=(0,),
    )  # fmt: skip
    assert _modality(stack) == told
