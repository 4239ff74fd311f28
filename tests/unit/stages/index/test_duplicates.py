"""Copies are told by their content; two that claim one name are both refused; equal pixels are named."""

from dataclasses import replace
from pathlib import Path

import pytest

from isocenter.stages.index import duplicates as module
from isocenter.stages.index.options import Source
from isocenter.stages.index.subjects import SubjectFinder
from tests.unit.stages.grouping import Found, grouped
from tests.unit.stages.rows import NAMES, a_slice, file_of


def made_of(found, root=Path("nowhere")):
    return grouped(found, [SubjectFinder(Source(path=""), NAMES, None)], {}, [root], NAMES)


def issues_on(found, root=Path("nowhere")):
    return [
        (i.rule, i.target, i.measured) for i in made_of(found, root).issues if i.rule != "index/lost-slices"
    ]


@pytest.fixture
def copies(tmp_path):
    """Three files that claim one name, with equal contents."""
    found = [
        Found(row=file_of(r), instance=r) for r in (a_slice(n, sop_instance_uid="1.1") for n in range(3))
    ]
    (tmp_path / "p").mkdir()
    for f in found:
        (tmp_path / f.row.path).write_text("a")
    return found, tmp_path


def test_contents_are_read_only_where_one_name_occurs_twice():
    assert issues_on([Found(row=file_of(r), instance=r) for r in (a_slice(0), a_slice(1), a_slice(2))]) == []


def test_all_but_the_first_copy_are_set_aside(copies):
    found, root = copies
    assert issues_on(found, root) == [
        ("index/duplicate-object", f.row.file_id, "3 copies") for f in found[1:]
    ]


def test_one_of_three_that_differs_refuses_all(copies):
    found, root = copies
    (root / found[1].row.path).write_text("b")
    measured = "2 different contents"
    assert issues_on(found, root) == [("index/conflicting-object", f.row.file_id, measured) for f in found]


def test_a_copy_that_is_gone_meanwhile_is_no_proof_of_sameness(copies):
    found, root = copies
    (root / found[1].row.path).unlink()
    assert {measured for _, _, measured in issues_on(found, root)} == {"unreadable"}


def test_what_was_summed_up_already_is_not_read_again(copies):
    found, _ = copies
    known = [replace(f, row=replace(f.row, content_digest="same")) for f in found]
    assert [target for _, target, _ in issues_on(known)] == ["fil-0001", "fil-0002"]
    known[2] = replace(known[2], row=replace(known[2].row, content_digest="other"))
    assert {rule for rule, _, _ in issues_on(known)} == {"index/conflicting-object"}


def _series(name, digests, **changes):
    rows = [
        a_slice(n, file_id=f"{name}-{n}", sop_instance_uid=f"{name}.{n}", series_uid=name, **changes)
        for n in range(len(digests))
    ]
    return [Found(row=file_of(r, pixel_digest=d), instance=r) for r, d in zip(rows, digests, strict=True)]


def _shared(found):
    made = made_of(found)
    series = {s.id: s.series for s in made.stacks}
    uids = {s.id: {f.partition("-")[0] for f in s.files}.pop() for s in made.stacks}
    ids = {series[k]: f"ser {v}" for k, v in uids.items()}
    out = {}
    for issue in made.issues:
        assert issue.rule == "index/same-pixels"
        text = issue.measured
        for known, name in ids.items():
            text = text.replace(known, name)
        out[uids[issue.target]] = text
    return out


def test_a_series_saved_twice_under_other_names_is_told_once_for_each_stack():
    found = [*_series("1.1", "abc"), *_series("1.2", "abc", patient_id="P-18"), *_series("1.3", "def")]
    assert _shared(found) == {
        "1.1": "3 of 3 images, also in ser 1.2",
        "1.2": "3 of 3 images, also in ser 1.1",
    }


def test_images_that_are_the_same_throughout_have_no_digest_and_are_no_copies():
    assert _shared([*_series("1.1", ["", "a"]), *_series("1.2", ["", "b"])]) == {}


def test_the_same_bytes_in_another_matrix_are_another_image():
    assert _shared([*_series("1.1", "ab"), *_series("1.2", "ab", rows=3, columns=10)]) == {}


def test_repeats_within_a_series_and_several_twins_are_told():
    assert _shared(_series("1.1", "aab")) == {"1.1": "2 of 3 images, within the series"}
    found = [*_series("1.1", "abc"), *_series("1.2", "ad"), *_series("1.3", "be")]
    assert _shared(found)["1.1"].endswith(" and 1 more series")


def test_a_copy_that_was_set_aside_is_no_twin(copies):
    found, root = copies
    known = [replace(f, row=replace(f.row, pixel_digest="same")) for f in found]
    assert {rule for rule, _, _ in issues_on(known, root)} == {"index/duplicate-object"}


def test_many_names_that_occur_twice_are_judged_each_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 3)
    found = []
    for name in range(5):
        for copy in range(2):
            row = a_slice(2 * name + copy, sop_instance_uid=f"1.{name}")
            found.append(Found(row=file_of(row), instance=row))
            (tmp_path / found[-1].row.path).parent.mkdir(exist_ok=True)
            # of names 1 and 3 the contents differ
            (tmp_path / found[-1].row.path).write_text(f"{name} {copy if name % 2 else 0}")
    ids = [f.row.file_id for f in found]
    copies = {(ids[2 * name + 1], "index/duplicate-object") for name in (0, 2, 4)}
    others = {(ids[2 * name + copy], "index/conflicting-object") for name in (1, 3) for copy in range(2)}
    assert {(target, rule) for rule, target, _ in issues_on(found, tmp_path)} == copies | others
