"""The engine runs the selected rules of a scope with their options, and weighs issues as the config says."""

import pytest

from isocenter.model.issue import Severity
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.testing.rules import a_series, a_stack

THICK = a_stack(
    modality="MR",
    slice_distance_mm=6.5,
    slice_thickness_mm=6.5,
    sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
    is_lossy=True,
)


def rules_of(**options) -> list[str]:
    return [i.rule for i in Engine(ScreenOptions(**options)).check(THICK)]


def test_all_rules_run_by_default() -> None:
    assert rules_of() == ["content/lossy-compression", "geometry/wide-slice-spacing"]


def test_families_and_rules_can_be_selected_and_ignored() -> None:
    assert rules_of(select=("geometry",)) == ["geometry/wide-slice-spacing"]
    assert rules_of(select=("content/lossy-compression",)) == ["content/lossy-compression"]
    assert rules_of(ignore={"geometry": "the protocol is thick"}) == ["content/lossy-compression"]
    assert rules_of(select=("identity",)) == []


def test_options_reach_their_rule() -> None:
    assert rules_of(options={"geometry/wide-slice-spacing": {"limit_mm": 7.0}}) == [
        "content/lossy-compression"
    ]


@pytest.mark.parametrize("severity", list(Severity))
def test_a_configured_severity_overrides_that_of_the_issue(severity: Severity) -> None:
    name = "identity/missing-patient-id"
    engine = Engine(ScreenOptions(select=(name,), severity={name: severity}))
    for subject in ("", "subject-1"):
        found = engine.check(a_series(has_patient_id=False, subject=subject))
        assert [i.severity for i in found] == [severity]


def test_rules_of_another_scope_do_not_run() -> None:
    assert Engine(ScreenOptions()).check("a text") == []
