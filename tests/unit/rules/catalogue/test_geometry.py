"""Geometry rules at their edges: what must be caught, and what must not be."""

import math
import re

import numpy as np
import pytest

from isocenter.base.documents import read_yaml
from isocenter.model.issue import Severity
from isocenter.rules.catalogue.geometry.abnormal_voxel_size import abnormal_voxel_size
from isocenter.rules.catalogue.geometry.gantry_tilt import gantry_tilt
from isocenter.rules.catalogue.geometry.gaps_between_slices import gaps_between_slices
from isocenter.rules.catalogue.geometry.implausible_extent import implausible_extent
from isocenter.rules.catalogue.geometry.incomplete_acquisition import incomplete_acquisition
from isocenter.rules.catalogue.geometry.incomplete_axis import incomplete_axis
from isocenter.rules.catalogue.geometry.jittering_slice_spacing import jittering_slice_spacing
from isocenter.rules.catalogue.geometry.missing_frame_of_reference import missing_frame_of_reference
from isocenter.rules.catalogue.geometry.missing_slices import missing_slices
from isocenter.rules.catalogue.geometry.non_orthogonal_axes import non_orthogonal_axes
from isocenter.rules.catalogue.geometry.non_square_pixels import non_square_pixels
from isocenter.rules.catalogue.geometry.overlapping_slices import overlapping_slices
from isocenter.rules.catalogue.geometry.repeated_positions import repeated_positions
from isocenter.rules.catalogue.geometry.slices_off_the_affine import slices_off_the_affine
from isocenter.rules.catalogue.geometry.tilt_unlike_header import tilt_unlike_header
from isocenter.rules.catalogue.geometry.too_few_slices import too_few_slices
from isocenter.rules.catalogue.geometry.uneven_slice_spacing import uneven_slice_spacing
from isocenter.rules.catalogue.geometry.unknown_geometry import unknown_geometry
from isocenter.rules.catalogue.geometry.varying_orientation import varying_orientation
from isocenter.rules.catalogue.geometry.wide_slice_spacing import wide_slice_spacing
from isocenter.testing.rules import a_nifti, a_stack, a_time_point, an_enhanced, issues_of

SPACING_RULES = (uneven_slice_spacing, jittering_slice_spacing, missing_slices, repeated_positions)


def fired(*positions_mm: float) -> list[str]:
    stack = a_stack(positions_mm=positions_mm)
    return [r.check.__name__ for r in SPACING_RULES if issues_of(r, stack)]


@pytest.mark.parametrize(
    ("positions_mm", "expected"),
    [
        ((0, 2.5, 5, 7.5), []),
        ((0, 3.2699999999, 6.54, 9.8100001, 13.08), []),
        ((0, 0.625, 1.255, 1.88), []),  # 0.8 % off, but nearer than 0.01 mm
        ((0, 2.5, 5.02, 7.5), []),  # within 1 %
        ((0, 2.5, 5.03, 7.5), ["jittering_slice_spacing"]),
        ((0, 2.5, 5.24, 7.74), ["jittering_slice_spacing"]),
        ((0, 2.5, 5.26, 7.76), ["uneven_slice_spacing"]),
        ((0, 2.5, 5, 10), ["missing_slices"]),
        ((0, 2.5, 5, 5, 7.5), ["repeated_positions"]),
        ((0, 2.5, 5, 5.2, 7.7), ["uneven_slice_spacing"]),
        ((0, 2.5, 5, 6.25, 8.75, 11.25), ["uneven_slice_spacing"]),  # half a slice too near
        ((0, 2.5, 5, 5, 10, 12.5), ["missing_slices", "repeated_positions"]),
        ((0,), []),
        ((), []),
    ],
)
def test_every_gap_has_one_name(positions_mm: tuple[float, ...], expected: list[str]) -> None:
    assert fired(*positions_mm) == expected


def test_lost_slices_are_counted_together() -> None:
    stack = a_stack(positions_mm=(0, 1, 2, 5, 6, 8))
    assert issues_of(missing_slices, stack) == [
        "3 slices are missing: 3.00 mm after slice 3, 1.00 mm elsewhere"
    ]


@pytest.mark.parametrize(("distance", "caught"), [(5.0, 0), (5.0009, 0), (5.0011, 1), (4.999, 0), (None, 0)])
def test_exactly_five_millimetres_pass(distance: float | None, caught: int) -> None:
    assert len(issues_of(wide_slice_spacing, a_stack(modality="MR", slice_distance_mm=distance))) == caught


def test_a_lone_plane_of_a_nifti_file_is_not_wide() -> None:
    assert (
        issues_of(wide_slice_spacing, a_nifti(modality="MR", shape=(1, 64, 64), spacing_mm=(9, 1, 1))) == []
    )
    assert issues_of(wide_slice_spacing, a_nifti(modality="MR", shape=(), spacing_mm=())) == []


def test_a_tilt_needs_both_an_angle_and_a_distance() -> None:
    assert issues_of(gantry_tilt, a_stack(shear_mm=0.09)) == []  # 0.5 degrees, but rounding
    tall = a_stack(positions_mm=tuple(range(0, 1000, 5)), shear_mm=0.9)
    assert issues_of(gantry_tilt, tall) == []  # 0.05 degrees: cosines of few decimals
    assert issues_of(gantry_tilt, a_stack(shear_mm=10 * math.tan(math.radians(18.5)))) == [
        "slices are tilted by 18.5 degrees against their stacking direction"
    ]


@pytest.mark.parametrize(
    ("off", "severity"),
    [(5e-5, None), (5e-3, Severity.NOTE), (0.02, Severity.REJECT), (math.nan, Severity.REJECT)],
)
def test_axes_are_noted_while_they_are_repairable(off: float, severity: Severity | None) -> None:
    stack = a_stack(orientation=(1.0, 0.0, 0.0, off, 1.0, 0.0))
    assert [i.severity for i in non_orthogonal_axes(stack)] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("residual", "severity"),
    [(0.1, None), (0.11, Severity.REVIEW), (0.4, Severity.REVIEW), (0.41, Severity.REJECT)],
)
def test_a_slice_may_be_off_by_rounding_only(residual: float, severity: Severity | None) -> None:
    found = list(slices_off_the_affine(a_stack(affine_residual_mm=residual)))
    assert [i.severity for i in found] == ([severity] if severity else [])


def test_what_uneven_gaps_explain_is_not_said_twice() -> None:
    holey = a_stack(positions_mm=(0, 2.5, 5, 10), affine_residual_mm=1.7)
    assert issues_of(slices_off_the_affine, holey) == []


def test_voxels_of_no_or_odd_size_are_named_by_their_axis() -> None:
    stack = a_stack(spacing_mm=(2.5, 0.0, math.nan))
    assert issues_of(abnormal_voxel_size, stack) == ["0 mm between rows", "nan mm between columns"]
    micrometres = a_nifti(spacing_mm=(700.0, 700.0, 700.0))
    assert len(issues_of(abnormal_voxel_size, micrometres)) == 3


def test_a_lone_slice_is_not_judged_by_its_thickness() -> None:
    scout = a_stack(positions_mm=(0,), spacing_mm=(650.0, 0.6, 0.6), slice_distance_mm=None)
    assert issues_of(abnormal_voxel_size, scout) == []


def test_the_usual_distance_is_judged_and_not_the_mean_over_a_hole() -> None:
    holey = a_stack(positions_mm=(0, 1, 2, 100), spacing_mm=(33.3, 0.8, 0.8))
    assert issues_of(abnormal_voxel_size, holey) == []


def test_radiographs_need_no_position() -> None:
    assert issues_of(unknown_geometry, a_stack(modality="CR", affine=(), orientation_code="none")) == []
    assert len(issues_of(unknown_geometry, a_stack(modality="MR", orientation_code="none"))) == 1
    assert issues_of(too_few_slices, a_stack(modality="DX", positions_mm=(0,))) == []


def test_overlapping_slices_are_no_gap_and_unknown_thickness_is_none() -> None:
    assert issues_of(gaps_between_slices, a_stack(slice_thickness_mm=5.0)) == []
    assert issues_of(gaps_between_slices, a_stack(slice_thickness_mm=0.0)) == []
    assert issues_of(gaps_between_slices, a_stack(slice_thickness_mm=None)) == []
    assert issues_of(gaps_between_slices, a_stack(slice_thickness_mm=2.5 / 1.5)) == []  # half as much again


def test_messages_are_of_plain_numbers() -> None:
    stack = a_stack(modality="MR", slice_distance_mm=np.float64(6.5))
    assert issues_of(wide_slice_spacing, stack) == ["6.5 mm between slice centres, more than 5 mm"]


@pytest.mark.parametrize(
    ("named", "shear_mm", "caught"),
    [(None, 2.68, False), (15.0, 2.68, False), (-15.0, 2.68, False), (0.0, 2.68, True), (15.0, 0.0, True)],
)
def test_a_named_tilt_is_compared_whatever_its_sign(named, shear_mm, caught) -> None:
    stack = a_stack(gantry_tilt_deg=named, shear_mm=shear_mm)
    assert bool(issues_of(tilt_unlike_header, stack)) == caught
    assert issues_of(tilt_unlike_header, a_stack(gantry_tilt_deg=15.0, modality="PT")) == []


def test_the_edge_moves_by_the_size_of_the_slice() -> None:
    large = a_stack(orientation_residual=1e-3, shape=(5, 512, 256), spacing_mm=(2.5, 1.0, 1.0))
    assert issues_of(varying_orientation, large) == [
        "the directions of slices differ by 0.001: 0.51 mm at the edge of the image"
    ]
    assert issues_of(varying_orientation, a_stack(orientation_residual=1e-4)) == []
    assert len(issues_of(varying_orientation, a_stack(orientation_residual=math.nan))) == 1


def test_an_overlap_is_noted_beyond_three_quarters_only() -> None:
    assert issues_of(overlapping_slices, a_stack(slice_thickness_mm=10.0)) == []
    assert issues_of(overlapping_slices, a_stack(slice_thickness_mm=10.1)) != []
    assert issues_of(overlapping_slices, a_stack(slice_thickness_mm=None)) == []
    assert issues_of(overlapping_slices, a_stack(slice_thickness_mm=10.1, modality="PT")) == []


def test_a_volume_is_no_larger_than_a_person() -> None:
    assert issues_of(implausible_extent, a_stack(shape=(5, 1024, 1024))) == []
    assert issues_of(implausible_extent, a_stack(shape=(5, 1251, 100))) != []
    assert issues_of(implausible_extent, a_stack(shape=(5, 1251, 100), modality="DX")) == []
    assert issues_of(implausible_extent, a_nifti(shape=(5, 9000, 9000), modality="CT")) == []


def test_pixels_may_be_a_little_longer_than_wide() -> None:
    assert issues_of(non_square_pixels, a_stack(spacing_mm=(2.5, 0.8, 0.7))) == []
    assert issues_of(non_square_pixels, a_stack(spacing_mm=(2.5, 0.7, 1.4))) != []
    assert issues_of(non_square_pixels, a_nifti(spacing_mm=(1.0, 1.0, 5.0))) == []


def test_where_nothing_is_placed_no_frame_is_missed() -> None:
    assert issues_of(missing_frame_of_reference, a_stack(frame_of_reference="", affine=())) == []
    assert issues_of(missing_frame_of_reference, a_stack(frame_of_reference="", modality="CR")) == []
    assert issues_of(missing_frame_of_reference, a_nifti(frame_of_reference="", modality="CT")) == []


@pytest.mark.parametrize(
    ("first", "last", "made", "in_series", "caught"),
    [
        (1, 5, 5, 5, False),
        (1, 5, 6, 5, True),
        (2, 6, 6, 5, True),
        (2, 6, 8, 5, True),
        (1, 9, 9, 5, True),  # every second one
        (2, 6, 6, 6, False),  # a localizer was the first, and was split off
        (1, 5, 10, 10, False),  # two phases
        (101, 105, 20, 5, False),  # numbered otherwise
        (0, 4, 6, 5, False),  # from nought, as some tools count
        (1, 5, 4, 5, False),  # the count is of a part
        (None, None, 6, 5, False),
        (1, 5, None, 5, False),
        (1, 5, 6, 0, False),  # nobody counted the series
    ],
)
def test_slices_lack_only_where_nothing_else_explains_the_count(first, last, made, in_series, caught) -> None:
    stack = a_stack(first_number=first, last_number=last, images_in_acquisition=made, n_in_series=in_series)
    assert bool(issues_of(incomplete_acquisition, stack)) == caught


def test_where_slices_lack_is_said() -> None:
    both = a_stack(first_number=2, last_number=6, images_in_acquisition=8)
    assert issues_of(incomplete_acquisition, both) == [
        "8 images were acquired, 5 are here: 1 lacks before number 2, 2 lack after number 6"
    ]
    thinned = a_stack(first_number=1, last_number=9, images_in_acquisition=9)
    assert issues_of(incomplete_acquisition, thinned) == [
        "9 images were acquired, 5 are here: 4 lack between"
    ]


def test_objects_of_many_frames_axes_and_other_formats_are_not_counted() -> None:
    more = {"images_in_acquisition": 99, "n_in_series": 5}
    assert issues_of(incomplete_acquisition, an_enhanced(**more)) == []
    assert issues_of(incomplete_acquisition, a_time_point(**more)) == []
    assert issues_of(incomplete_acquisition, a_nifti(**more)) == []


def test_a_short_point_of_an_axis_is_for_review_and_a_whole_one_beside_it_noted() -> None:
    short = a_time_point(group_slices=(6, 5, 6))
    whole = a_time_point(group_slices=(5, 5, 4))
    assert [i.severity for i in incomplete_axis(short)] == [Severity.REVIEW]
    assert [i.severity for i in incomplete_axis(whole)] == [Severity.NOTE]
    assert issues_of(incomplete_axis, a_time_point()) == []


def test_points_in_time_lack_only_along_an_axis_of_time() -> None:
    assert issues_of(incomplete_axis, a_time_point(temporal_positions=4)) != []
    assert issues_of(incomplete_axis, a_time_point(temporal_positions=2)) == []
    assert issues_of(incomplete_axis, a_time_point(axis="echo", temporal_positions=4)) == []
    # one phase of several, each exported as a series of its own
    assert issues_of(incomplete_axis, a_stack(temporal_positions=4)) == []


def test_described_frames_are_counted_as_slices() -> None:
    two = {"files": ("file-0",) * 2, "frames": (3, 1), "multi_frame": True}
    assert issues_of(too_few_slices, a_stack(**two)) == ["2 slices, fewer than 3"]
    assert issues_of(too_few_slices, an_enhanced()) == []


def test_what_to_write_for_slices_that_are_thick_by_design_is_said_and_works(tmp_path) -> None:
    text = " ".join((wide_slice_spacing.__doc__ or "").split())
    assert "judged slice by slice" in text
    written = re.search(r"`(screen: [^`]*)`", text)
    assert written is not None
    (tmp_path / "cohort.yaml").write_text(written[1] + "\n")
    options = read_yaml(tmp_path / "cohort.yaml").data["screen"]["options"]
    assert [*options] == ["geometry/wide-slice-spacing"]
    mosaic = a_stack(modality="MR", slice_distance_mm=12.0)
    assert issues_of(wide_slice_spacing, mosaic) != []
    assert issues_of(wide_slice_spacing, mosaic, **options["geometry/wide-slice-spacing"]) == []


def test_tilt_is_told_with_the_policies_that_change_it() -> None:
    text = gantry_tilt.__doc__ or ""
    assert all(f"`standardise.tilt: {policy}`" in text for policy in ("resample", "reject"))


@pytest.mark.parametrize(
    ("residual_mm", "severity"),
    [(0.0, None), (0.1, None), (0.11, Severity.REVIEW), (0.34, Severity.REVIEW), (0.36, Severity.REJECT)],
)
@pytest.mark.parametrize("places", [(0, 2.5, 5, 9), (0, 2.5, 7.5, 10)])
def test_the_way_sideways_counts_whatever_the_gaps_are(places, residual_mm, severity) -> None:
    stack = a_stack(
        positions_mm=places,
        spacing_mm=(2.5, 0.7, 0.7),
        affine_residual_mm=3.0,
        lateral_residual_mm=residual_mm,
    )
    found = list(slices_off_the_affine(stack))
    assert [i.severity or Severity.REJECT for i in found] == ([severity] if severity else [])
