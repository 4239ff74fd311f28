from dataclasses import dataclass, replace

import pyarrow as pa
import pytest

from isocenter.base import tables
from isocenter.base.errors import StaleArtefact
from isocenter.model import rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    size: int | None = None


@pytest.mark.parametrize("text", ["\ud800", "a\udcff", "läsion", "", "\x00"])
def test_any_text_can_be_written(tmp_path, text):
    tables.write(tmp_path / "t.parquet", Row, [Row(name=text)])
    [back] = tables.read(tmp_path / "t.parquet", Row)
    assert back.name == text.encode(errors="backslashreplace").decode()


def test_a_table_may_be_empty(tmp_path):
    for kind in (rows.Stack, rows.PlannedCase, rows.PreviewRow):
        tables.write(tmp_path / "t.parquet", kind, [])
        assert list(tables.read(tmp_path / "t.parquet", kind)) == []
        assert tables.read_table(tmp_path / "t.parquet").schema == tables.schema_of(kind)


def test_a_failed_write_leaves_the_old_table(tmp_path):
    path = tmp_path / "t.parquet"
    tables.write(path, Row, [Row(name="a")])
    with pytest.raises(ValueError, match="many"):
        tables.write(path, Row, [replace(Row(name="b"), size="many")])
    assert [r.name for r in tables.read(path, Row)] == ["a"]
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]


def test_the_form_tells_tables_of_another_version():
    @dataclass
    class Other:
        name: str
        size: float | None = None

    assert tables.form_of(Row) == tables.form_of(Row)
    assert tables.form_of(Row) != tables.form_of(Other)


def test_a_type_that_has_no_column_is_our_mistake():
    @dataclass
    class Wrong:
        anything: object

    with pytest.raises(TypeError, match="no column type"):
        tables.schema_of(Wrong)


def test_a_damaged_table_and_one_of_another_version_say_what_to_do(tmp_path):
    path = tmp_path / "index" / "files.parquet"
    path.parent.mkdir()
    tables.write(path, rows.VerdictRow, [rows.VerdictRow(target="a", verdict="keep")])
    with pytest.raises(StaleArtefact, match="written by another version"):
        list(tables.read(path, rows.FileRow))
    path.write_bytes(path.read_bytes()[:-9])
    for read in (lambda: list(tables.read(path, rows.VerdictRow)), lambda: tables.read_table(path)):
        with pytest.raises(StaleArtefact, match=r"index/files.parquet is damaged; delete the folder index"):
            read()


@dataclass(frozen=True)
class Named:
    name: str | None
    other: str
    number: int


def test_parts_are_joined_if_they_fit_in_memory(tmp_path):
    paths = [tmp_path / f"{n:08}_named.arrow" for n in range(3)]
    for n, path in enumerate(paths):
        path.write_bytes(tables.to_bytes(tables.table_of_rows(Named, [Named("é" * 100, "", n)] * 10)))
    joined = tables.joined_parts(paths, most_bytes=1 << 20)
    assert [r.number for r in tables.rows_of(joined, Named)] == [0] * 10 + [1] * 10 + [2] * 10
    assert tables.joined_parts(paths, most_bytes=joined.nbytes - 1) is None
    assert tables.joined_parts([], most_bytes=0) is None


@pytest.mark.parametrize(
    "rows",
    [
        [(0, "a", 1), (0, "a", 2), (0, "b", 0), (1, "a", 0)],
        [(1, "a", 0), (0, "b", 0), (0, "a", 2), (0, "a", 1)],
        [(0, "a", 2), (0, "a", 1)],
        [(0, "ä", 0), (0, "z", 0), (0, "a/b", 0), (0, "a-b", 0)],
        [(0, "a", 0)],
        [],
    ],
)
def test_rows_are_sorted_by_columns_and_texts_byte_by_byte(rows):
    table = pa.table({n: [r[at] for r in rows] for at, n in enumerate("xyz")})
    table = table.cast(pa.schema([("x", pa.int64()), ("y", pa.string()), ("z", pa.int64())]))
    found = tables.sorted_by(table, "x", "y", "z")
    in_order = sorted(rows, key=lambda r: (r[0], r[1].encode(), r[2]))
    assert [tuple(r.values()) for r in found.to_pylist()] == in_order
    assert (found is table) == (rows == in_order)
