"""Stacks: the same whatever the order of the files; every voxel where its own header says it is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.stages.grouping import geometry_of, separate
from tests.unit.stages.rows import a_slice, slices_along

CORONAL, SAGITTAL = (-1.0, 0, 0, 0, 0, -1.0), (0, -1.0, 0, 0, 0, -1.0)
FEET_FIRST = (1.0, 0, 0, 0, -1.0, 0)

# What tells repeats at one position apart, with the values of the first and the second pass.
DISCRIMINATORS = {
    "acquisition_number": (1, 2),
    "temporal_position": (1, 2),
    "echo_time_ms": (4.6, 9.2),
    "b_value": (0.0, 800.0),
    "inversion_time_ms": (100.0, 900.0),
    "convolution_kernel": ("B30f", "B70f"),
    "image_type": (("ORIGINAL",), ("DERIVED",)),
    "contrast_agent": (None, "IOPROMIDE"),
    "kvp": (80.0, 140.0),
}
LATTICES = {
    "rows": (6, 7),
    "pixel_spacing_mm": ((0.7, 0.8), (0.9, 0.9)),
    "frame_of_reference_uid": ("1.7", "1.70"),
    "orientation": ((-1.0, 0, 0, 0, -1.0, 0), CORONAL),
    "modality": ("CT", "MR"),
    "image_type": (("ORIGINAL", "AXIAL"), ("ORIGINAL", "LOCALIZER")),
}


@st.composite
def planes(draw):
    """Two orthogonal unit vectors and spacings, in any direction."""
    angles = draw(st.tuples(*[st.floats(-3.1, 3.1)] * 3))
    (ca, cb, cc), (sa, sb, sc) = np.cos(angles), np.sin(angles)
    turn = np.array([[ca, -sa, 0], [sa, ca, 0], [0, 0, 1]]) @ np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    turn = turn @ np.array([[1, 0, 0], [0, cc, -sc], [0, sc, cc]])
    return tuple(turn[:, 0]) + tuple(turn[:, 1])


def _twice(field, first, second):
    """Two passes over five positions, files and numbers interleaved."""
    passes = [
        [
            replace(
                r, **{field: v}, file_id=f"f{n}{i}", sop_instance_uid=f"1.{n}.{i}", instance_number=2 * i + n
            )
        ]
        for n, v in enumerate((first, second))
        for i, r in enumerate(slices_along((-1.0, 0, 0, 0, -1.0, 0)))
    ]
    return [row for rows in passes for row in rows]


def _names(stacks):
    return [[r.file_id for r in s] for s in stacks]


@pytest.mark.parametrize("field", sorted(DISCRIMINATORS))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_repeats_are_told_apart_whatever_the_order_of_the_files(field, data):
    rows = _twice(field, *DISCRIMINATORS[field])
    stacks = separate(data.draw(st.permutations(rows)))
    assert _names(stacks) == _names(separate(rows))
    assert [len(s) for s in stacks] == [5, 5]
    assert all(len({getattr(r, field) for r in s}) == 1 for s in stacks)


@pytest.mark.parametrize("field", sorted(LATTICES))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_other_lattices_are_other_stacks_whatever_the_order_of_the_files(field, data):
    rows = _twice(field, *LATTICES[field])
    stacks = separate(data.draw(st.permutations(rows)))
    assert _names(stacks) == _names(separate(rows))
    assert [len(s) for s in stacks] == [5, 5]
    assert all(len({getattr(r, field) for r in s}) == 1 for s in stacks)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_two_echoes_at_three_times_are_six_stacks(data):
    rows = [
        a_slice(i, echo_time_ms=e, temporal_position=t, file_id=f"{i}{e}{t}", sop_instance_uid=f"{i}.{e}.{t}")
        for i in range(4)
        for e in (4.6, 9.2)
        for t in (1, 2, 3)
    ]
    stacks = separate(data.draw(st.permutations(rows)))
    assert _names(stacks) == _names(separate(rows))
    assert [len(s) for s in stacks] == [4] * 6


def test_a_scanner_that_numbers_every_slice_as_an_acquisition_does_not_shatter_two_kernels():
    rows = [
        replace(r, acquisition_number=n) for n, r in enumerate(_twice("convolution_kernel", "B30f", "B70f"))
    ]
    assert [len(s) for s in separate(rows)] == [5, 5]


def test_repeats_that_nothing_tells_apart_stay_together_for_a_rule_to_reject():
    rows = [replace(r, instance_number=None) for r in _twice("series_description", "one", "two")]
    [stack] = separate(rows)
    assert len(stack) == 10


@settings(max_examples=60, deadline=None)
@given(data=st.data(), plane=planes(), shear=st.tuples(*[st.floats(-0.4, 0.4)] * 3))
def test_every_voxel_is_where_its_own_header_puts_it(data, plane, shear):
    """DICOM PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1, here in RAS+ millimetres."""
    rows = slices_along(plane, count=6, shear=shear)
    numbers = data.draw(st.permutations(range(6)))
    rows = [replace(r, instance_number=n) for r, n in zip(rows, numbers, strict=True)]
    [stack] = separate(data.draw(st.permutations(rows)))
    geometry = geometry_of(stack)
    row_mm, column_mm = stack[0].pixel_spacing_mm
    for k, row in enumerate(stack):
        for i, j in ((0, 0), (4, 0), (0, 5), (4, 5)):
            own = np.array(row.position_mm)
            own = own + np.array(plane[:3]) * column_mm * i + np.array(plane[3:]) * row_mm * j
            ours = geometry.affine @ (i, j, k, 1)
            assert np.abs(ours[:3] - own).max() < 1e-6
    assert geometry.residual_mm < 1e-9
    assert (np.diff(geometry.positions_mm) > 0).all()
    normal = np.cross(plane[:3], plane[3:])
    within = np.array(shear) - (np.array(shear) @ normal) * normal
    assert geometry.shear_mm == pytest.approx(5 * np.linalg.norm(within), abs=1e-9)


@pytest.mark.parametrize("plane", [CORONAL, SAGITTAL, FEET_FIRST])
def test_slices_are_in_the_order_of_their_projection_never_of_their_numbers(plane):
    rows = slices_along(plane)
    rows = [replace(r, instance_number=-n) for n, r in enumerate(rows)]
    [stack] = separate(rows)
    distances = [float(np.dot(r.position_mm, np.cross(plane[:3], plane[3:]))) for r in stack]
    assert distances == sorted(distances)
    assert np.linalg.det(geometry_of(stack).affine[:3, :3]) > 0


@given(shift=st.floats(0.01, 1.0), at=st.integers(1, 3))
def test_the_residual_is_how_far_one_slice_lies_off_the_line(shift, at):
    rows = slices_along((-1.0, 0, 0, 0, -1.0, 0))
    x, y, z = rows[at].position_mm
    rows[at] = replace(rows[at], position_mm=(x + shift, y, z))
    geometry = geometry_of(separate(rows)[0])
    assert geometry.residual_mm == pytest.approx(shift)
    assert geometry.shear_mm == pytest.approx(0.0, abs=1e-9)
