"""A rule reads its name, scope and options off its function."""

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules.catalogue.geometry.wide_slice_spacing import wide_slice_spacing
from isocenter.testing.rules import a_stack


def test_name_scope_and_options_come_from_the_function() -> None:
    assert wide_slice_spacing.name == "geometry/wide-slice-spacing"
    assert wide_slice_spacing.scope is Stack
    assert [(o.name, o.type, o.default) for o in wide_slice_spacing.options] == [
        ("limit_mm", float, 5.0),
        ("modalities", tuple[str, ...], ("MR",)),
    ]
    assert wide_slice_spacing.__doc__ == wide_slice_spacing.check.__doc__


def test_every_issue_is_completed() -> None:
    thick = a_stack(id="stk-7", modality="MR", slice_distance_mm=6.5)
    assert list(wide_slice_spacing(thick)) == [
        Issue(
            message="6.5 mm between slice centres, more than 5 mm",
            rule="geometry/wide-slice-spacing",
            target="stk-7",
            severity=Severity.REJECT,
            measured="6.5",
            expected="at most 5",
            unit="mm",
            clause="DICOM PS3.3 C.7.6.2.1.1",
        )
    ]
