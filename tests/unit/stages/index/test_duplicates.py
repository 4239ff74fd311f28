from isocenter.stages.index.duplicates import find_duplicates
from tests.unit.stages.rows import a_slice, file_of


def test_contents_are_read_only_where_one_name_occurs_twice(tmp_path):
    rows = [a_slice(n) for n in range(3)]
    files = {r.file_id: file_of(r) for r in rows}
    objects = [("1.1", rows[0].file_id), ("1.2", rows[1].file_id), ("1.3", rows[2].file_id)]
    assert find_duplicates(objects, files, {}) == []


def test_one_of_three_that_differs_refuses_all(tmp_path):
    rows = [a_slice(n) for n in range(3)]
    paths = {r.file_id: tmp_path / r.file_id for r in rows}
    for row, text in zip(rows, "aab", strict=True):
        paths[row.file_id].write_text(text)
    files = {r.file_id: file_of(r) for r in rows}
    issues = find_duplicates([("1.1", r.file_id) for r in rows], files, paths)
    assert {(i.rule, i.measured) for i in issues} == {("index/conflicting-object", "2 different contents")}
    assert len(issues) == 3


def test_a_copy_that_is_gone_meanwhile_is_no_proof_of_sameness(tmp_path):
    rows = [a_slice(n) for n in range(2)]
    files = {r.file_id: file_of(r) for r in rows}
    issues = find_duplicates(
        [("1.1", r.file_id) for r in rows], files, {r.file_id: tmp_path / "gone" for r in rows}
    )
    assert [i.measured for i in issues] == ["unreadable", "unreadable"]
