"""Pixels are compared as they are stored, wherever in the file they are."""

from dataclasses import replace

import pytest

from isocenter.stages.index.options import Source
from isocenter.stages.index.subjects import SubjectFinder
from isocenter.stages.index.twins import digest_of_pixels
from tests.unit.stages.grouping import Found, grouped
from tests.unit.stages.rows import NAMES, a_slice, file_of

FRAGMENTS = b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff"


def written(path, content):
    path.write_bytes(content)
    return path


def test_headers_do_not_count(tmp_path):
    one = digest_of_pixels(written(tmp_path / "a", b"head" + b"pixels"), 4, 6)
    assert one == digest_of_pixels(written(tmp_path / "b", b"longer head" + b"pixels and more"), 11, 6)
    assert one != digest_of_pixels(written(tmp_path / "c", b"head" + b"pixelz"), 4, 6)


def test_fragments_begin_at_the_last_tag(tmp_path):
    one = digest_of_pixels(
        written(tmp_path / "a", b"x" + FRAGMENTS + b"icon" + FRAGMENTS + b"image"), None, None
    )
    assert one == digest_of_pixels(written(tmp_path / "b", b"other" + FRAGMENTS + b"image"), None, None)
    assert one != digest_of_pixels(written(tmp_path / "c", b"other" + FRAGMENTS + b"imagf"), None, None)


@pytest.mark.parametrize("place", [(4, 60), (None, None), (400, 4)])
def test_what_is_not_there_has_no_digest(tmp_path, place):
    assert digest_of_pixels(written(tmp_path / "a", b"head" + b"pixels"), *place) == ""
    assert digest_of_pixels(tmp_path / "gone", *place) == ""


@pytest.mark.parametrize("content", [b"\0" * 9, b"\x01\x02" * 9])
def test_one_value_is_blank(tmp_path, content):
    assert digest_of_pixels(written(tmp_path / "a", content), 0, len(content)).startswith("blank ")


def made_of(root, rows, heads, pixels):
    """The index of slices whose files are a head of four bytes and pixels."""
    (root / "p").mkdir()
    for row, head, data in zip(rows, heads, pixels, strict=True):
        (root / "p" / row.file_id).write_bytes(head + data)
    rows = [replace(r, pixel_offset=4, pixel_bytes=len(p)) for r, p in zip(rows, pixels, strict=True)]
    finders = [SubjectFinder(Source(path=""), NAMES, None)]
    return grouped([Found(row=file_of(r), instance=r) for r in rows], finders, {}, [root], NAMES)


def found(made):
    return [(i.rule, i.target) for i in made.issues if i.rule != "index/lost-slices"]


def test_a_copy_under_another_name_is_dropped_and_told(tmp_path):
    rows = [a_slice(n) for n in range(4)]
    rows.append(replace(rows[2], file_id="fil-9999", sop_instance_uid="1.2.99", instance_number=9))
    made = made_of(tmp_path, rows, [b"head"] * 5, [b"ab", b"cd", b"efg", b"gh", b"efg"])
    assert found(made) == [("index/duplicate-pixels", "fil-9999")]
    assert [len(s.files) for s in made.stacks] == [4]
    assert [i.rule for i in made.issues] == ["index/duplicate-pixels"]


def test_other_pixels_at_one_position_stay_for_a_rule_to_reject(tmp_path):
    rows = [a_slice(n) for n in range(4)]
    rows.append(replace(rows[2], file_id="fil-9999", sop_instance_uid="1.2.99", instance_number=9))
    made = made_of(tmp_path, rows, [b"head"] * 5, [b"ab", b"cd", b"efg", b"gh", b"efh"])
    assert (found(made), [len(s.files) for s in made.stacks]) == ([], [5])


@pytest.mark.parametrize(
    ("changes", "pixels", "rule"),
    [
        ({"series_description": "x"}, b"efg", "index/duplicate-pixels"),
        ({}, b"efh", "index/conflicting-object"),
        ({"rescale_slope": 2.0}, b"efg", "index/conflicting-object"),
        ({"position_mm": (1.0, 2.0, 3.0)}, b"efg", "index/conflicting-object"),
    ],
)
def test_one_name_and_equal_pixels_are_one_object_if_nothing_else_differs(tmp_path, changes, pixels, rule):
    rows = [a_slice(n) for n in range(4)]
    rows.append(replace(rows[2], file_id="fil-9999", **changes))
    made = made_of(tmp_path, rows, [b"head"] * 4 + [b"Head"], [b"ab", b"cd", b"efg", b"gh", pixels])
    assert {r for r, _ in found(made)} == {rule}
    assert [len(s.files) for s in made.stacks] == [4 if rule == "index/duplicate-pixels" else 3]
