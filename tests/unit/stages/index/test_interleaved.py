"""A second acquisition between the slices of the first is set apart; a regular stack is never split."""

import pytest

from tests.unit.stages.grouping import separate
from tests.unit.stages.rows import a_slice


def two(shift=1.1, **values):
    return [
        a_slice(
            20 * m + n,
            position_mm=(10.0, 20.0, 2.5 * n + shift * m),
            **{k: v(m, n) for k, v in values.items()},
        )
        for m in range(2)
        for n in range(8)
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"acquisition_number": lambda m, _: m},
        {"acquisition_time": lambda m, _: f"10000{m}"},
        {"acquisition_time": lambda m, n: f"1000{10 * m + n:02}"},
        {"content_time": lambda m, n: f"1000{30 * m + 8 - n:02}"},
        {"acquisition_number": lambda m, _: m, "acquisition_time": lambda m, n: f"1000{10 * m + n:02}"},
    ],
)
def test_one_attribute_or_the_times_of_the_slices_split_two_passes(values):
    found = separate(two(**values))
    assert sorted([r.file_id for r in s] for s in found) == [
        [f"fil-{20 * m + n:04}" for n in range(8)] for m in range(2)
    ]


def test_a_regular_stack_is_never_split():
    assert len(separate(two(shift=1.25, acquisition_number=lambda m, _: m))) == 1


def test_an_uneven_stack_that_nothing_explains_stays_whole():
    assert len(separate(two())) == 1
    assert len(separate(two(acquisition_number=lambda _m, n: n % 2))) == 1


def test_blocks_one_above_the_other_are_one_uneven_stack():
    rows = two(shift=41.0, acquisition_number=lambda m, _: m)
    assert len(separate(rows)) == 1


def test_a_derived_image_between_the_slices_is_set_apart():
    rows = [a_slice(n, image_type=("ORIGINAL", "PRIMARY", "AXIAL")) for n in range(8)]
    rows.append(a_slice(90, position_mm=(10.0, 20.0, 6.1), image_type=("DERIVED", "SECONDARY", "AXIAL")))
    assert [len(s) for s in separate(rows)] == [8, 1]


def test_a_derived_image_that_fills_its_place_is_a_slice():
    rows = [a_slice(n, image_type=("DERIVED" if n == 3 else "ORIGINAL", "PRIMARY")) for n in range(8)]
    assert [len(s) for s in separate(rows)] == [8]


@pytest.mark.parametrize("lost", [1, 11])
@pytest.mark.parametrize("values", [
    lambda k: {"acquisition_number": 1 + k % 2},
    lambda k: {"acquisition_time": f"1000{30 * (k % 2) + k:02}"},
    lambda k: {"content_time": f"1000{30 * (k % 2) + k:02}"},
])  # fmt: skip
def test_a_slice_lost_of_every_second_one_is_a_gap(values, lost):
    rows = [a_slice(k, **values(k)) for k in range(13) if k != lost]
    assert [len(s) for s in separate(rows)] == [12]


def test_a_slice_lost_between_originals_and_derived_is_a_gap():
    kinds = ("ORIGINAL", "DERIVED")
    rows = [a_slice(k, image_type=(kinds[k > 5], "PRIMARY")) for k in range(12) if k != 6]
    assert [len(s) for s in separate(rows)] == [11]


def test_a_second_pass_a_third_of_a_step_away_is_set_apart():
    assert [len(s) for s in separate(two(shift=2.5 / 3, acquisition_number=lambda m, _: m))] == [8, 8]
