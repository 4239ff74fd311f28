"""Geometry rules at their edges: what must be caught, and what must not be."""

import math

import numpy as np
import pytest

from isocenter.model.issue import Severity
from isocenter.rules.catalogue.geometry.abnormal_voxel_size import abnormal_voxel_size
from isocenter.rules.catalogue.geometry.gantry_tilt import gantry_tilt
from isocenter.rules.catalogue.geometry.gaps_between_slices import gaps_between_slices
from isocenter.rules.catalogue.geometry.jittering_slice_spacing import jittering_slice_spacing
from isocenter.rules.catalogue.geometry.missing_slices import missing_slices
from isocenter.rules.catalogue.geometry.non_orthogonal_axes import non_orthogonal_axes
from isocenter.rules.catalogue.geometry.repeated_positions import repeated_positions
from isocenter.rules.catalogue.geometry.slices_off_the_affine import slices_off_the_affine
from isocenter.rules.catalogue.geometry.too_few_slices import too_few_slices
from isocenter.rules.catalogue.geometry.uneven_slice_spacing import uneven_slice_spacing
from isocenter.rules.catalogue.geometry.unknown_geometry import unknown_geometry
from isocenter.rules.catalogue.geometry.wide_slice_spacing import wide_slice_spacing
from isocenter.testing.rules import a_nifti, a_stack, issues_of

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
