"""Slices that repeat are told apart by the strongest evidence there is, and never by a guess."""

from dataclasses import replace

import pytest

from isocenter.stages.index.stack import separate as separate_members
from tests.unit.stages.grouping import members_of, parts, separate
from tests.unit.stages.rows import a_slice


def passes(count=3, slices=4, **values):
    """Passes over the same positions; each value is called with the number of the pass and of the slice."""
    return [
        a_slice(
            10 * m + n,
            position_mm=(10.0, 20.0, 2.5 * n),
            **{"instance_number": None, **{k: v(m, n) for k, v in values.items()}},
        )
        for m in range(count)
        for n in range(slices)
    ]


def numbers(part, rows):
    """Number of the pass of each slice of a stack."""
    ids = members_of(rows).file_ids
    return [int(ids[n][4:]) // 10 for n in part.rows]


@pytest.mark.parametrize(
    ("values", "axis", "expected"),
    [
        ({"temporal_position": lambda m, _: m + 1}, "time", [1.0, 2.0, 3.0]),
        ({"acquisition_time": lambda m, _: f"10150{2 * m}.5"}, "time", [0.0, 2.0, 4.0]),
        ({"acquisition_time": lambda m, _: f"202001022359{2 * m:02}"}, "time", [0.0, 2.0, 4.0]),
        ({"trigger_time_ms": lambda m, _: 40.0 * m}, "time", [0.0, 0.04, 0.08]),
        ({"echo_time_ms": lambda m, _: (9.2, 4.6, 13.8)[m]}, "echo", [4.6, 9.2, 13.8]),
        ({"b_value": lambda m, _: (800.0, 0.0, 50.0)[m]}, "b-value", [0.0, 50.0, 800.0]),
        ({"gradient": lambda m, _: ((0, 0, 1.0), (0, 1.0, 0), ())[m], "b_value": lambda m, _: 9.0 * (m < 2)},
         "b-value", [0.0, 9.0, 9.0]),
        ({"inversion_time_ms": lambda m, _: 100.0 * m}, "inversion", [0.0, 100.0, 200.0]),
        ({"kvp": lambda m, _: 80.0 + 20 * m}, "energy", [80.0, 100.0, 120.0]),
        ({"image_type": lambda m, _: ("ORIGINAL", "PRIMARY", "MPI"[m])}, "phase", [None] * 3),
        ({"convolution_kernel": lambda m, _: f"B{m}0f"}, "", [None] * 3),
        ({"acquisition_number": lambda m, _: m}, "", [None] * 3),
        ({"repetition_time_ms": lambda m, _: 10.0 * m}, "", [None] * 3),
    ],
)  # fmt: skip
def test_one_attribute_makes_an_axis_of_its_values(values, axis, expected):
    found = parts(passes(**values))
    assert [len(p.rows) for p in found] == [4, 4, 4]
    assert {p.axis for p in found} == {axis}
    if axis:
        found.sort(key=lambda p: p.index)
        assert [(p.index, p.count) for p in found] == [(0, 3), (1, 3), (2, 3)]
        assert [p.value for p in found] == pytest.approx(expected)
        assert len({p.group for p in found}) == 1


def test_two_echoes_at_three_times_are_two_groups_along_time():
    rows = passes(6, temporal_position=lambda m, _: m // 2, echo_time_ms=lambda m, _: 4.6 * (1 + m % 2))
    found = parts(rows)
    assert {(p.axis, p.count) for p in found} == {("time", 3)}
    assert sorted({p.group for p in found}) == sorted({p.group for p in found if p.index == 0})
    assert len({p.group for p in found}) == 2


def test_three_attributes_together_tell_apart_what_no_two_do():
    rows = passes(
        8,
        echo_time_ms=lambda m, _: 5.0 * (m & 1),
        kvp=lambda m, _: 80.0 * (m & 2),
        b_value=lambda m, _: 9.0 * (m & 4),
    )
    assert [len(p.rows) for p in parts(rows)] == [4] * 8


def test_a_map_is_no_point_on_the_axis_of_the_images_it_was_made_of():
    kinds = ("M", "FIELD_MAP")
    rows = passes(
        2, echo_time_ms=lambda m, _: 1.5 * m, image_type=lambda m, _: ("ORIGINAL", "PRIMARY", kinds[m])
    )
    assert [(len(p.rows), p.axis) for p in parts(rows)] == [(4, ""), (4, "")]


def test_phases_of_the_heart_are_the_nth_at_every_position_though_each_slice_has_its_own_times():
    rows = passes(trigger_time_ms=lambda m, n: m * (30.0 + 7 * n) + 0.5)
    found = sorted(parts(rows), key=lambda p: p.index)
    assert [numbers(p, rows) for p in found] == [[0] * 4, [1] * 4, [2] * 4]
    assert {p.axis for p in found} == {"time"}


def test_two_passes_whose_slices_all_have_times_of_their_own_are_two_stacks():
    rows = passes(2, acquisition_time=lambda m, n: f"10{m:02}{2 * n:02}.25")
    found = sorted(parts(rows), key=lambda p: p.index)
    assert [numbers(p, rows) for p in found] == [[0] * 4, [1] * 4]
    assert [p.value for p in found] == [0.0, 60.0]


def test_times_in_disorder_tell_nothing_apart():
    seconds = ((0, 1, 3), (4, 2, 5))
    assert len(parts(passes(2, slices=3, acquisition_time=lambda m, n: f"10000{seconds[m][n]}"))) == 1


def test_the_time_of_storage_counts_only_where_nothing_else_does():
    rows = passes(2, content_time=lambda m, _: f"10000{m}", convolution_kernel=lambda m, _: "AB"[m])
    assert {p.axis for p in parts(rows)} == {""}
    assert {p.axis for p in parts([replace(r, convolution_kernel=None) for r in rows])} == {"time"}


@pytest.mark.parametrize("by_slice", [False, True])
def test_numbers_tell_times_apart_where_they_run_evenly(by_slice):
    rows = passes(instance_number=(lambda m, n: 3 * n + m) if by_slice else (lambda m, n: 4 * m + n))
    found = sorted(parts(rows), key=lambda p: p.index)
    assert [numbers(p, rows) for p in found] == [[0] * 4, [1] * 4, [2] * 4]
    assert {(p.axis, p.value, p.by_number) for p in found} == {("time", None, "3 times of 4 slices")}


@pytest.mark.parametrize(
    "changes",
    [
        {"temporal_positions": lambda _m, _n: 4},
        {"images_in_acquisition": lambda _m, _n: 5},
        {"instance_number": lambda m, n: 4 * m + (n if m < 2 else 3 - n)},
        {"instance_number": lambda _m, n: n},
        {"instance_number": lambda m, n: None if m == n == 0 else 4 * m + n},
    ],
)
def test_numbers_that_disagree_with_anything_tell_nothing(changes):
    rows = passes(**{"instance_number": lambda m, n: 4 * m + n, **changes})
    assert [len(p.rows) for p in parts(rows)] == [12]


def test_numbers_tell_nothing_where_a_position_lacks_a_time():
    assert len(parts(passes(instance_number=lambda m, n: 4 * m + n)[:-1])) == 1


def test_a_last_time_that_was_cut_short_stands_beside_the_axis():
    found = parts(passes(temporal_position=lambda m, _: m)[:-2])
    assert sorted((len(p.rows), p.axis, p.count) for p in found) == [
        (2, "", 1),
        (4, "time", 2),
        (4, "time", 2),
    ]


def test_a_number_for_every_slice_does_not_shatter_a_stack():
    rows = passes(2, acquisition_number=lambda m, n: 10 * m + n)
    assert len(separate(rows)) == 1


def _copies(digest_of, rows):
    members = members_of(rows)
    found = separate_members(members, lambda row: digest_of(members.file_ids[row]))
    return found, [members.file_ids[n] for n in found.copies]


def test_equal_pixels_at_one_position_are_one_slice():
    rows = passes(2)
    found, copies = _copies(lambda file_id: f"d{file_id[-1]}", rows)
    assert [len(p.rows) for p in found.parts] == [4]
    assert copies == [f"fil-{10 + n:04}" for n in range(4)]


def test_equal_pixels_in_other_units_are_no_copies():
    rows = passes(2, rescale_slope=lambda m, _: 1.0 + m)
    found, copies = _copies(lambda file_id: f"d{file_id[-1]}", rows)
    assert (copies, len(found.parts)) == ([], 1)


@pytest.mark.parametrize("digest", ["", "blank "])
def test_what_cannot_be_read_or_is_empty_is_no_proof(digest):
    rows = passes(2)
    _, copies = _copies(lambda file_id: digest if file_id[-1] == "0" else file_id, rows)
    assert copies == []


def test_empty_pictures_are_copies_where_all_else_was_copied():
    _, copies = _copies(lambda file_id: "blank x" if file_id[-1] == "0" else f"d{file_id[-1]}", passes(2))
    assert len(copies) == 4


def test_pixels_are_not_read_where_headers_tell_slices_apart():
    def refuse(_row):
        raise AssertionError

    for rows in (passes(1), passes(2, echo_time_ms=lambda m, _: 1.0 + m)):
        assert all(len(p.rows) == 4 for p in separate_members(members_of(rows), refuse).parts)


@pytest.mark.parametrize("name", ["convolution_kernel", "temporal_position", "content_time"])
def test_attributes_that_contradict_each_other_leave_the_slices_together(name):
    texts = {"temporal_position": (1, 2)}.get(name, ("100000", "100001"))
    rows = passes(
        2, 12, acquisition_number=lambda m, _: m, **{name: lambda m, n: texts[m if n != 5 else 1 - m]}
    )
    [part] = parts(rows)
    assert len(part.rows) == 24
    assert {"acquisition_number", name} == set(part.contradiction.partition(":")[0].split(", "))
    assert part.contradiction.endswith(": 2 of 24 slices")


@pytest.mark.parametrize("times", [("235900", "000000"), ("20200101235900", "20200102000000")])
def test_midnight_lies_between_two_times(times):
    rows = passes(2, acquisition_time=lambda m, _: times[m])
    found = sorted(parts(rows), key=lambda p: p.index)
    assert [numbers(p, rows) for p in found] == [[0] * 4, [1] * 4]
    assert [p.value for p in found] == [0.0, 60.0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"temporal_positions": lambda _m, _n: 3}, True),
        ({"images_in_acquisition": lambda _m, _n: 4}, True),
        ({"images_in_acquisition": lambda _m, _n: 12}, False),
        ({}, False),
        ({"temporal_positions": lambda _m, _n: 3, "kvp": lambda m, n: 80.0 + (m == n == 1)}, False),
    ],
)
def test_times_by_number_are_confirmed_by_what_the_headers_count(values, expected):
    found = parts(passes(instance_number=lambda m, n: 4 * m + n, **values))
    assert {(p.by_number, p.is_confirmed) for p in found} == {("3 times of 4 slices", expected)}


@pytest.mark.parametrize("name", ["pixel_padding", "pixel_padding_limit", "high_bit"])
def test_equal_pixels_with_other_padding_or_bits_are_no_copies(name):
    _, copies = _copies(lambda file_id: f"d{file_id[-1]}", passes(2, **{name: lambda m, _: m}))
    assert copies == []
