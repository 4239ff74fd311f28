"""Tables are read row by row; what is no table is refused with a reason, whatever its size."""

import gzip

import pytest

from isocenter.base.delimited import MAX_COLUMNS, MAX_LINE, read_csv_rows
from isocenter.base.errors import FormatError


def written(tmp_path, content, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b"id,label\na,1\nb,2\n"),
        ("t.csv", b"\xef\xbb\xbfid,label\r\na,1\r\nb,2\r\n"),
        ("t.csv", b"id;label\na;1\nb;2"),
        ("t.csv", b"id\tlabel\na\t1\n\n\nb\t2\n"),
        ("t.tsv", b"id\tlabel\na\t1\nb\t2\n"),
        ("t.csv.gz", b'"id","label"\n"a","1"\n"b","2"\n'),
        ("t.tsv.gz", b" id\tlabel \na\t 1\nb\t2 \n"),
        ("t.csv", b"id,label\na,1,,\nb,2,\n"),
    ],
)
def test_every_kind_of_table_gives_the_same_rows(tmp_path, name, content):
    header, rows = read_csv_rows(written(tmp_path, content, name))
    assert header == ("id", "label")
    assert list(rows) == [{"id": "a", "label": "1"}, {"id": "b", "label": "2"}]


def test_a_tsv_file_is_split_at_tabs_whatever_else_its_header_holds(tmp_path):
    header, _ = read_csv_rows(written(tmp_path, b"a, b, c\td\n", "t.tsv"))
    assert header == ("a, b, c", "d")


def test_quoted_fields_may_hold_separators_and_lines(tmp_path):
    _, rows = read_csv_rows(written(tmp_path, b'a,b\n"x, ""y""","1\n2"\n'))
    assert list(rows) == [{"a": 'x, "y"', "b": "1\n2"}]


def test_a_short_row_is_filled_and_a_nameless_column_is_numbered(tmp_path):
    header, rows = read_csv_rows(written(tmp_path, b"a,,c\n1\n"))
    assert header == ("a", "column 2", "c")
    assert list(rows) == [{"a": "1", "column 2": "", "c": ""}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "needs a header line"),
        (b"a,a\n1,2\n", "columns 1 and 2 of a table have one name$"),
        (b"a,b\n1,2,3\n", "row 2 of a table has more fields"),
        (b'a,b\n1,"2\n', "a quoted field"),
        (b"a,b\n1,\x002\n", "holds NUL"),
        ("a,b\né,2\n".encode("latin-1"), "not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "not UTF-8"),
        (b",".join(b"c%d" % n for n in range(MAX_COLUMNS + 1)), "more than 4096 columns"),
        (b"a,b\n" + b"1" * MAX_LINE, "longer than 1 MiB"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(FormatError, match=message) as caught:
        list(read_csv_rows(path)[1])
    assert caught.value.reason == "file/corrupt"


def test_a_damaged_archive_is_refused(tmp_path):
    path = written(tmp_path, b"a,b\n" + b"1,2\n" * 9999, "t.csv.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(FormatError, match="damaged") as caught:
        list(read_csv_rows(path)[1])
    assert caught.value.reason == "file/truncated"


def test_a_table_that_is_not_there_is_unreadable(tmp_path):
    with pytest.raises(FormatError) as caught:
        read_csv_rows(tmp_path / "nope.csv")
    assert caught.value.reason == "file/unreadable"
    assert str(tmp_path) not in str(caught.value)
