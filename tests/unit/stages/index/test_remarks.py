"""What was set apart from a stack is told with it; what has no series UID is taken by folder, and told."""

from dataclasses import replace
from pathlib import Path

import pytest

from isocenter.stages.index.options import Source
from isocenter.stages.index.subjects import SubjectFinder
from tests.unit.stages.grouping import Found, grouped
from tests.unit.stages.rows import NAMES, a_slice, file_of


def made_of(rows, folder="p", **how):
    finders = [SubjectFinder(Source(path="", site="site-1"), NAMES, None)]
    found = [Found(row=file_of(r, path=f"{folder}/{r.file_id}"), instance=r) for r in rows]
    return grouped(found, finders, {}, [Path()], NAMES, **how)


def told(made, rule):
    return [i.measured for i in made.issues if i.rule == rule]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rows": 7}, "1 slice set apart at 7.50 mm (matrix)"),
        ({"photometric": "RGB", "samples": 3}, "(photometric interpretation, samples per pixel)"),
        ({"image_type": ("DERIVED", "SECONDARY", "MIP")}, "(projection)"),
        ({"sop_class_uid": "1.2.840.10008.5.1.4.1.1.7"}, "(kind of object)"),
    ],
)
def test_a_slice_that_leaves_a_hole_is_named_by_the_stack(changes, expected):
    rows = [a_slice(n) for n in range(8)]
    rows[3] = replace(rows[3], **changes)
    [measured] = told(made_of(rows), "index/series-split")
    assert measured.startswith("2 stacks; ")
    assert expected in measured


def test_nothing_is_set_apart_from_stacks_of_like_size():
    rows = [a_slice(n, rows=6 + n % 2) for n in range(8)]
    assert told(made_of(rows), "index/series-split") == ["2 stacks", "2 stacks"]


def test_files_without_a_series_are_a_series_of_their_folder():
    made = made_of([a_slice(n, series_uid="" if n else None) for n in range(5)])
    assert [len(s.files) for s in made.stacks] == [5]
    assert told(made, "index/no-series-uid") == ["5 files"]


@pytest.mark.parametrize("changes", [{"patient_id": "P-18"}, {"study_uid": "1.80"}])
def test_files_of_others_in_the_folder_are_other_series(changes):
    rows = [a_slice(n, series_uid=None) for n in range(3)]
    rows += [a_slice(10 + n, series_uid=None, **changes) for n in range(3)]
    assert [len(s.files) for s in made_of(rows).stacks] == [3, 3]


def test_one_file_without_a_series_is_as_before():
    made = made_of([a_slice(0, series_uid=None)])
    assert told(made, "index/no-series-uid") == []


def test_a_folder_is_one_series_where_the_source_says_so():
    rows = [a_slice(n, series_uid=f"1.{n % 2}") for n in range(6)]
    assert [len(s.files) for s in made_of(rows).stacks] == [3, 3]
    [stack] = made_of(rows, by_folder=[0]).stacks
    assert len(stack.files) == 6
    assert told(made_of(rows, by_folder=[0]), "index/no-series-uid") == []


def test_series_that_lie_at_the_same_places_in_one_folder_are_told_apart():
    rows = [
        a_slice(n % 4, series_uid=f"1.{n // 4}", file_id=f"f{n}", sop_instance_uid=f"1.{n}") for n in range(8)
    ]
    assert [len(s.files) for s in made_of(rows, by_folder=[0]).stacks] == [4, 4]


def test_times_by_number_are_told_with_both_counts():
    rows = [
        a_slice(10 * m + n, position_mm=(0.0, 0.0, 2.5 * n), instance_number=4 * m + n, temporal_positions=2)
        for m in range(2)
        for n in range(4)
    ]
    issues = [i for i in made_of(rows).issues if i.rule == "index/time-by-number"]
    assert {(i.measured, i.expected) for i in issues} == {
        ("2 times of 4 slices", "2 times by Number of Temporal Positions")
    }
    assert len(issues) == 2


@pytest.mark.parametrize(
    ("field", "name"), [("rescale_type", "all_rescale_types"), ("pet_units", "all_pet_units")]
)
def test_a_unit_that_some_slices_lack_is_told(field, name):
    rows = [a_slice(n, modality="PT", **{field: "HU" if n else None}) for n in range(5)]
    assert getattr(made_of(rows).stacks[0], name) == ("", "HU")
    assert getattr(made_of([replace(r, **{field: None}) for r in rows]).stacks[0], name) == ()
