from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.stages.index.options import Source
from isocenter.stages.index.subjects import SubjectFinder
from tests.unit.stages.grouping import Found, grouped
from tests.unit.stages.rows import NAMES, a_slice, file_of, steps_of


def made_of(rows, roots=(Path(),)):
    finders = [SubjectFinder(Source(path="", site="site-1"), NAMES, None) for _ in roots]
    return grouped([Found(row=file_of(r), instance=r) for r in rows], finders, {}, roots, NAMES)


@settings(max_examples=5, deadline=None)
@given(st.data())
def test_series_and_stacks_do_not_depend_on_the_order_of_the_files(data):
    rows = [
        a_slice(10 * s + n, series_uid=f"1.{s}", age=f"0{40 + s}Y", sex="FM"[n % 2])
        for s in range(3)
        for n in range(3)
    ]
    one, other = made_of(rows), made_of(data.draw(st.permutations(rows)))
    assert (one.series, one.stacks, one.issues) == (other.series, other.stacks, other.issues)
    assert len(one.stacks) == 3


def test_headers_of_one_subject_that_disagree_are_an_issue():
    sex = made_of([a_slice(0, sex="F"), a_slice(1, sex="M", series_uid="1.2", study_uid="1.3")])
    assert [(i.rule, i.measured) for i in sex.issues] == [("index/conflicting-attribute", "sex: two values")]
    ages = [a_slice(0, age="050Y"), a_slice(1, age="051Y", series_uid="1.2")]
    assert [i.measured for i in made_of(ages).issues] == ["age_years: two values"]
    later = [ages[0], replace(ages[1], study_uid="1.3")]
    assert made_of(later).issues == []


def test_no_subject_is_an_issue_on_the_stack():
    found = made_of([a_slice(patient_id=None)])
    assert [(i.rule, i.target) for i in found.issues] == [("index/no-subject", found.stacks[0].id)]


@pytest.fixture
def twins(tmp_path):
    """Five slices, and the second of them once more in another file."""
    rows = [a_slice(n) for n in range(5)]
    rows.append(replace(rows[1], file_id="fil-copy"))
    (tmp_path / "p").mkdir()
    for row in rows:
        (tmp_path / "p" / row.file_id).write_bytes(row.sop_instance_uid.encode())
    return rows, tmp_path


def test_a_copy_is_set_aside_and_costs_nothing(twins):
    rows, root = twins
    found = made_of(rows, (root,))
    assert [(i.rule, i.target) for i in found.issues] == [("index/duplicate-object", "fil-copy")]
    assert [len(s.files) for s in found.stacks] == [5]


def test_two_files_that_claim_one_name_are_both_refused_and_the_stack_is_told(twins):
    rows, root = twins
    (root / "p" / "fil-copy").write_bytes(b"something else")
    found = made_of(rows, (root,))
    refused = {i.target for i in found.issues if i.rule == "index/conflicting-object"}
    assert refused == {"fil-0001", "fil-copy"}
    [lost] = [i for i in found.issues if i.rule == "index/lost-slices"]
    assert (lost.target, lost.measured) == (found.stacks[0].id, "2 files")
    assert len(found.stacks[0].files) == 4


def test_a_copy_in_another_source_is_set_aside(twins):
    rows, root = twins
    found = made_of([*rows[:5], replace(rows[5], source=1)], (root, root))
    assert [i.target for i in found.issues] == ["fil-copy"]
    assert [s.source for s in found.stacks] == [0]


def test_work_grows_with_the_files_not_with_their_square(tmp_path):
    """Half of the files are copies: each was once looked for in the list of all issues."""
    (tmp_path / "p").mkdir()

    def work(count):
        rows = [a_slice(n, series_uid=f"1.{n // 20}") for n in range(count)]
        rows += [replace(r, file_id=f"{r.file_id}x") for r in rows]
        for row in rows:
            (tmp_path / "p" / row.file_id).write_bytes(b"same")
        return steps_of(lambda: made_of(rows, (tmp_path,)))

    work(20)
    assert work(400) / work(100) < 5


def test_free_text_of_headers_does_not_name_the_subject():
    """What is known of a person from any header is taken out of all of them."""
    rows = [
        a_slice(0, body_part="MEYER", convolution_kernel="B30f Jo", model="P-17 unit", manufacturer="Acme"),
        a_slice(1, series_uid="1.2", patient_name="Meyer^Jo", birth_date="19610203", body_part="ABDOMEN"),
        a_slice(2, series_uid="1.3", patient_id="P-18", body_part="Meyer", convolution_kernel="19610203"),
    ]
    found = {
        s.files[0]: {
            a.name: a.value for a in s.attributes if a.name in {"body_part", "convolution_kernel", "model"}
        }
        for s in made_of(rows).stacks
    }
    assert found["fil-0000"] == {"body_part": "", "convolution_kernel": "B30f *", "model": "* unit"}
    assert found["fil-0001"]["body_part"] == "ABDOMEN"
    assert found["fil-0002"] == {"model": "", "body_part": "", "convolution_kernel": ""}
