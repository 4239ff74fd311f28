"""Affines of files without slices of their own."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from isocenter.rules.catalogue.affine.conflicting_affines import conflicting_affines
from isocenter.rules.catalogue.affine.degenerate_affine import degenerate_affine
from isocenter.rules.catalogue.affine.sheared_axes import sheared_axes
from isocenter.rules.catalogue.affine.unknown_orientation import unknown_orientation
from isocenter.testing.rules import a_nifti, a_stack, issues_of


def flat(affine) -> tuple[float, ...]:
    return tuple(float(v) for v in np.asarray(affine, dtype=float).ravel())


@pytest.mark.parametrize("mirror", [1, -1])
@pytest.mark.parametrize("angles", [(0, 0, 0), (90, 0, 0), (0, 0, 180), (12, -34, 56)])
def test_rotated_and_mirrored_grids_are_sound(angles, mirror) -> None:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * (0.5 * mirror, 0.5, 5)
    stack = a_nifti(affine=flat(affine))
    assert issues_of(degenerate_affine, stack) == issues_of(sheared_axes, stack) == []


def test_what_spans_no_volume_is_told() -> None:
    nothing = np.diag([1.0, 0, 1, 1])
    parallel = np.eye(4)
    parallel[:3, 1] = (1, 1e-5, 0)
    projective = np.eye(4)
    projective[3, 0] = 0.1
    for affine, message in [
        (nothing, "an axis of the affine has no length"),
        (parallel, "axes of the affine point in one direction"),
        (projective, "the last row of the affine is not 0 0 0 1"),
        (np.full((4, 4), math.inf), "the affine holds values that are no numbers"),
    ]:
        assert issues_of(degenerate_affine, a_nifti(affine=flat(affine))) == [message]


def test_thin_voxels_are_not_degenerate() -> None:
    assert issues_of(degenerate_affine, a_nifti(affine=flat(np.diag([0.001, 0.001, 10, 1])))) == []


def test_a_conflict_is_measured_in_voxels() -> None:
    assert issues_of(conflicting_affines, a_nifti(spacing_mm=(5, 4, 4), affine_conflict_mm=0.39)) == []
    assert len(issues_of(conflicting_affines, a_nifti(spacing_mm=(1, 1, 1), affine_conflict_mm=0.39))) == 1
    assert len(issues_of(conflicting_affines, a_nifti(affine_conflict_mm=math.nan))) == 1


def test_dicom_is_judged_by_its_slices() -> None:
    sheared = np.eye(4)
    sheared[0, 2] = 0.4
    assert issues_of(sheared_axes, a_stack(affine=flat(sheared))) == []
    assert issues_of(unknown_orientation, a_stack(orientation_code="none")) == []
