"""One planted fault for every rule on headers, content and geometry: told by that rule on any clean stack or series."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.model.attributes import Attribute
from isocenter.model.rows import Series, Stack
from isocenter.rules.engine import CATALOGUE, Engine
from isocenter.rules.select import ScreenOptions
from isocenter.testing.rules import a_series, a_stack

FAMILIES = ("conformance/", "content/", "duplicates/", "geometry/", "header/", "identity/")
ENGINE = Engine(ScreenOptions(options={"header/unexpected-body-part": {"wanted": ("CHEST",)}}))
IMAGES = "1.2.840.10008.5.1.4.1.1."

# What a fault makes of a clean axial stack of five slices or more.
STACK_FAULTS = {
    "conformance/impossible-bits": {"bits_allocated": 8},
    "conformance/long-decimal-strings": {"overlong": ("PixelSpacing",)},
    "conformance/missing-image-type": {"image_type": ()},
    "conformance/missing-required-attributes": {"absent": ("HighBit",)},
    "conformance/mixed-signs": {"all_signs": (0, 1)},
    "conformance/mixed-transfer-syntaxes": {
        "all_transfer_syntaxes": ("1.2.840.10008.1.2", "1.2.840.10008.1.2.5")
    },
    "conformance/private-object-class": {"sop_class_uid": "1.3.46.670589.11.0.0.12.1"},
    "conformance/repeated-elements": {"repeated": ("Rows",)},
    "conformance/retired-object-class": {"sop_class_uid": f"{IMAGES}5"},
    "conformance/retired-transfer-syntax": {"transfer_syntax_uid": "1.2.840.10008.1.2.4.53"},
    "conformance/undefined-image-type": {"image_type": ("DERIVATE", "PRIMARY")},
    "content/colour-image": {"samples": 3},
    "content/dose-screen-or-capture": {"sop_class_uid": f"{IMAGES}7"},
    "content/for-processing-radiograph": {"presentation_intent": "FOR PROCESSING"},
    "content/inverted-display": {"photometric": "MONOCHROME1"},
    "content/localizer": {"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")},
    "content/lossy-compression": {"is_lossy": True},
    "content/mosaic": {"image_type": ("ORIGINAL", "PRIMARY", "M", "MOSAIC")},
    "content/multi-frame-object": {"multi_frame": True},
    "content/phase-image": {"modality": "MR", "image_type": ("ORIGINAL", "PRIMARY", "P", "ND")},
    "content/projection-image": {"image_type": ("DERIVED", "SECONDARY", "MIP")},
    "content/reformatted-image": {"image_type": ("DERIVED", "PRIMARY", "MPR")},
    "content/secondary-image": {"image_type": ("DERIVED", "SECONDARY", "AXIAL")},
    "content/subtraction-image": {"image_type": ("DERIVED", "PRIMARY", "SUBTRACT")},
    "content/suspected-localizer": {
        "modality": "MR",
        "positions_mm": (0.0, 12.0, 24.0),
        "slice_distance_mm": 12.0,
    },
    "content/turned-radiograph": {
        "attributes": (
            Attribute(name="view", value="PA"),
            Attribute(name="patient_orientation", value="R/F"),
        )
    },
    "content/without-pixels": {"has_pixels": False},
    "geometry/abnormal-voxel-size": {"slice_distance_mm": 0.001},
    "geometry/conflicting-spacings": {
        "modality": "DX",
        "attributes": (
            Attribute(name="spacing_kind", value="calibrated"),
            Attribute(name="detector_spacing_mm", value="0.1"),
        ),
    },
    "geometry/detector-spacing": {
        "modality": "DX",
        "orientation_code": "none",
        "attributes": (Attribute(name="spacing_kind", value="detector"),),
    },
    "geometry/gantry-tilt": {"shear_mm": 400.0},
    "geometry/gaps-between-slices": {"slice_thickness_mm": 0.1},
    "geometry/implausible-extent": {"shape": (5, 8192, 8192)},
    "geometry/incomplete-axis": {"axis": "time", "group": "group-1", "group_slices": (900, 4)},
    "geometry/missing-frame-of-reference": {"frame_of_reference": ""},
    "geometry/non-orthogonal-axes": {"orientation": (1.0, 0.0, 0.0, 0.3, 1.0, 0.0)},
    "geometry/non-square-pixels": {"spacing_mm": (2.5, 0.8, 0.5)},
    "geometry/overlapping-slices": {"slice_thickness_mm": 60.0},
    "geometry/slices-off-the-affine": {"affine_residual_mm": 12.0},
    "geometry/tilt-unlike-header": {"gantry_tilt_deg": 20.0},
    "geometry/too-few-slices": {"files": ("file-0",), "frames": (0,)},
    "geometry/unknown-geometry": {"affine": ()},
    "geometry/varying-orientation": {"orientation_residual": 9e-4},
    "geometry/wide-slice-spacing": {"modality": "MR", "slice_distance_mm": 5.01},
    "header/conflicting-laterality": {
        "attributes": (
            Attribute(name="laterality", value="L"),
            Attribute(name="laterality_of_series", value="R"),
        )
    },
    "header/modality-unlike-object": {"sop_class_uid": f"{IMAGES}128"},
    "header/undefined-modality": {"modality": "MRI"},
    "header/unexpected-body-part": {"attributes": (Attribute(name="body_part", value="KNEE"),)},
    "header/unknown-mr-sequence": {"modality": "MR", "attributes": (Attribute(name="model", value="ACME"),)},
    "header/unparsable-values": {"unparsable": ("RescaleSlope",)},
    "identity/missing-uids": {"absent": ("SeriesInstanceUID",)},
    "identity/suspected-burned-in-text": {"burned_in_annotation": "YES"},
}
SERIES_FAULTS = {
    "geometry/mixed-frames-of-reference": {"n_frames_of_reference": 2},
    "geometry/mixed-matrices": {"n_matrices": 2},
    "geometry/mixed-pixel-spacings": {"n_pixel_spacings": 2},
    "header/inconsistent-modality": {"n_modalities": 2},
    "header/missing-device": {"has_manufacturer": False, "has_model": False},
    "header/missing-modality": {"modality": ""},
    "identity/dummy-patient-id": {"is_dummy_patient_id": True},
    "identity/missing-patient-id": {"has_patient_id": False},
    "identity/several-patients-in-series": {"n_subjects": 2},
}
# What a fault makes of the gaps between the slices, or of their numbers.
DISPLACED = {
    "duplicates/interleaved-acquisitions": lambda gaps: [g * (0.4, 0.6)[n % 2] for n, g in enumerate(gaps)],
    "geometry/jittering-slice-spacing": lambda gaps: [gaps[0] * 1.06, *gaps[1:]],
    "geometry/missing-slices": lambda gaps: [gaps[0] * 2, *gaps[1:]],
    "geometry/repeated-positions": lambda gaps: [0.0, *gaps[1:]],
    "geometry/uneven-slice-spacing": lambda gaps: [gaps[0] * 1.4, *gaps[1:]],
}
clean_stacks = st.builds(
    lambda count, distance: a_stack(positions_mm=tuple(distance * n for n in range(count))),
    st.integers(6, 200),
    st.floats(0.5, 5.0),
)


def told(subject: object) -> set[str]:
    return {i.rule for i in ENGINE.check(subject)}


def test_every_rule_of_these_families_has_its_fault() -> None:
    names = {n for n, rule in CATALOGUE if n.startswith(FAMILIES) and rule.scope in {Series, Stack}}
    assert names == {*STACK_FAULTS, *SERIES_FAULTS, *DISPLACED, "geometry/incomplete-acquisition"}


@given(clean_stacks)
def test_before_the_fault_there_is_nothing_but_an_unnamed_body_part(stack) -> None:
    assert told(stack) == {"header/unexpected-body-part"}


@pytest.mark.parametrize("rule", sorted(STACK_FAULTS))
@given(stack=clean_stacks)
@settings(max_examples=10)
def test_a_fault_in_the_header_is_told_by_its_rule(rule, stack) -> None:
    assert rule in told(replace(stack, **STACK_FAULTS[rule]))


@pytest.mark.parametrize("rule", sorted(SERIES_FAULTS))
def test_a_fault_of_the_series_is_told_by_its_rule_alone(rule) -> None:
    assert told(replace(a_series(), **SERIES_FAULTS[rule])) == {rule}


@pytest.mark.parametrize("rule", sorted(DISPLACED))
@given(stack=clean_stacks)
@settings(max_examples=10)
def test_displaced_slices_are_told_by_their_rule(rule, stack) -> None:
    places = [0.0]
    for gap in DISPLACED[rule]([b - a for a, b in pairwise(stack.positions_mm)]):
        places.append(places[-1] + gap)
    assert rule in told(a_stack(positions_mm=tuple(places)))


@given(clean_stacks, st.integers(0, 5), st.integers(0, 5), st.integers(0, 1))
def test_slices_lost_at_the_ends_are_told_from_the_numbers(stack, before, after, elsewhere) -> None:
    """And not where the others may be elsewhere in the series."""
    count = len(stack.files)
    cut = replace(
        stack,
        first_number=1 + before,
        last_number=before + count,
        images_in_acquisition=before + count + after,
        n_in_series=count + elsewhere,
    )
    found = [i for i in ENGINE.check(cut) if i.rule == "geometry/incomplete-acquisition"]
    assert bool(found) == (before + after > 0 and not elsewhere)
    for issue in found:
        assert (issue.measured, issue.expected) == (str(count), str(before + count + after))
        assert (f"{before} lack" in issue.message) == (before > 0)


@given(clean_stacks, st.sampled_from(["time", "echo", "b-value"]), st.integers(2, 40), st.integers(1, 3))
def test_whole_axes_are_clean_and_short_ones_are_told(stack, axis, count, short) -> None:
    slices = len(stack.files)
    whole = replace(
        stack,
        axis=axis,
        group="group-1",
        axis_count=count,
        group_slices=(slices,) * count,
        temporal_positions=count if axis == "time" else None,
        n_in_series=slices * count,
    )
    assert "geometry/incomplete-axis" not in told(whole)
    among = (*whole.group_slices[1:], slices + short)
    assert "geometry/incomplete-axis" in told(replace(whole, group_slices=among))
    lost = replace(whole, axis="time", temporal_positions=count + short)
    assert "geometry/incomplete-axis" in told(lost)
