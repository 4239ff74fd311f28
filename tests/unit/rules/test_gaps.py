"""Gaps: the usual one, whole multiples of it, and none at all."""

import pytest

from isocenter.rules.gaps import gaps_of, slices_of
from isocenter.testing.rules import a_nifti, a_stack


def test_the_usual_gap_is_not_moved_by_repeats_or_holes() -> None:
    gaps = gaps_of((0, 0, 2.5, 2.5, 5, 7.5, 15))
    assert {g.usual_mm for g in gaps} == {2.5}
    assert [g.is_none for g in gaps] == [True, False, True, False, False, False]
    assert [g.after for g in gaps] == [1, 2, 3, 4, 5, 6]


def test_no_gaps_in_a_lone_slice_or_none() -> None:
    assert gaps_of(()) == gaps_of((3.0,)) == ()


def test_a_stack_of_repeats_alone_has_no_usual_gap() -> None:
    assert [(g.is_none, g.usual_mm, g.missing(0.1)) for g in gaps_of((1, 1, 1))] == [(True, 0.0, 0)] * 2


@pytest.mark.parametrize(
    ("gap", "expected"), [(2.5, 0), (5.0, 1), (5.24, 1), (5.26, 0), (4.76, 1), (4.74, 0), (25.0, 9), (1.0, 0)]
)
def test_missing_slices_are_whole_multiples_within_a_share_of_one_slice(gap: float, expected: int) -> None:
    found = gaps_of((0, 2.5, 5, 7.5, 7.5 + gap))[-1]
    assert found.missing(0.1) == expected


def test_half_doubled_gaps_are_holes_in_the_finer_half() -> None:
    gaps = gaps_of((0, 2, 4, 6, 10, 14, 18))
    assert [g.missing(0.1) for g in gaps] == [0, 0, 0, 1, 1, 1]


def test_slices_are_files_in_dicom_and_the_shortest_axis_elsewhere() -> None:
    assert slices_of(a_stack(positions_mm=(0, 1, 2, 3))) == 4
    assert slices_of(a_nifti(shape=(200, 180, 12))) == 12
    assert slices_of(a_nifti(shape=())) == 1
