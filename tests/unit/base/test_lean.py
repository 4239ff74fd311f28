"""A table in which columns of one value are kept once holds, sorts and gives the same rows as any other."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.base import lean, tables
from isocenter.base.lean import joined_parts, one_valued


@dataclass(frozen=True)
class Named:
    name: str | None
    other: str
    number: int


@dataclass(frozen=True)
class Kinds:
    text: str | None
    number: float | None
    whole: int
    flag: bool
    texts: tuple[str, ...]
    numbers: tuple[float, ...]


_ROWS = st.builds(
    Kinds,
    text=st.sampled_from([None, "", "a", "aa", "é"]),
    number=st.sampled_from([None, 0.0, -0.0, 1.5]),
    whole=st.sampled_from([0, 1]),
    flag=st.booleans(),
    texts=st.sampled_from([(), ("a",), ("a", "b"), ("ab",)]),
    numbers=st.sampled_from([(), (0.0,), (-0.0,), (1.0, 2.0)]),
)


def _put_by(folder, parts, row_type):
    paths = [folder / f"{n:08}_rows.arrow" for n in range(len(parts))]
    for path, rows in zip(paths, parts, strict=True):
        path.write_bytes(tables.to_bytes(tables.table_of_rows(row_type, rows)))
    return paths


def _exact(rows):
    """Rows with numbers by their bits: 0.0 and -0.0 are equal to Python."""
    return [repr(row) for row in rows]


@given(st.lists(st.lists(_ROWS, max_size=6), min_size=1, max_size=4), st.data())
def test_rows_are_what_they_were(tmp_path_factory, parts, data):
    paths = _put_by(tmp_path_factory.mktemp("parts"), parts, Kinds)
    table = joined_parts(paths, most_bytes=1 << 20)
    rows = [row for part in parts for row in part]
    assert _exact(tables.rows_of(table, Kinds)) == _exact(rows)
    for name in one_valued(table):
        assert len({repr(getattr(row, name)) for row in rows}) <= 1
    if rows:
        same = {n for n in table.column_names if len({repr(getattr(r, n)) for r in rows}) == 1}
        assert one_valued(table) == same
    order = data.draw(st.permutations(range(len(rows))))
    taken = list(lean.groups(table, np.array(order, np.int64)))
    assert _exact(r for t in taken for r in tables.rows_of(t, Kinds)) == _exact(rows[n] for n in order)


def test_a_file_of_its_rows_has_the_same_bytes(tmp_path):
    rows = [Kinds(None, -0.0, n, flag=True, texts=("a", "é"), numbers=(1.0, -0.0)) for n in range(5)]
    table = joined_parts(_put_by(tmp_path, [rows[:2], rows[2:]], Kinds), most_bytes=1 << 20)
    assert one_valued(table) == {"text", "number", "flag", "texts", "numbers"}
    for path, given_table in (("lean", table), ("plain", tables.table_of_rows(Kinds, rows))):
        with tables.Writer(tmp_path / path, Kinds) as writer:
            writer.write(given_table)
    assert (tmp_path / "lean").read_bytes() == (tmp_path / "plain").read_bytes()


def test_there_may_be_more_rows_than_a_row_group_has(tmp_path):
    parts = [[Named("a", "b", n)] * 7000 for n in range(5)]
    table = joined_parts(_put_by(tmp_path, parts, Named), most_bytes=1 << 30)
    assert table.column("name").to_pylist() == ["a"] * 35_000
    found = list(lean.groups(table, np.arange(34_999, -1, -1)))
    assert [t.num_rows for t in found] == [
        tables.GROUP_ROWS,
        tables.GROUP_ROWS,
        35_000 - 2 * tables.GROUP_ROWS,
    ]
    assert pa.concat_tables(found).column("other").to_pylist() == ["b"] * 35_000


def test_marks_can_be_taken_away(tmp_path):
    table = joined_parts(_put_by(tmp_path, [[Named("a", "b", 1)]], Named), most_bytes=1 << 20)
    assert one_valued(table) == {"name", "other", "number"}
    assert one_valued(lean.plain(table)) == frozenset()
    assert lean.plain(table).to_pylist() == table.to_pylist()
    changed = tables.with_column(lean.plain(table), "name", ["z"])
    assert changed.column("name").to_pylist() == ["z"]


def test_parts_are_joined_if_they_fit_in_memory(tmp_path):
    parts = [[Named("é" * 100, "", n)] * 10 for n in range(3)]
    paths = _put_by(tmp_path, parts, Named)
    size = sum(tables.table_of_rows(Named, p).nbytes for p in parts)
    assert [r.number for r in tables.rows_of(joined_parts(paths, most_bytes=2 * size), Named)] == [0] * 10 + [
        1
    ] * 10 + [2] * 10
    assert joined_parts(paths, most_bytes=size // 2) is None
    assert joined_parts([], most_bytes=0) is None


@pytest.mark.parametrize("keys", [[("name", "other")], [("name",), ("other",)], [("other",)]])
@pytest.mark.parametrize("is_lean", [True, False])
def test_rows_are_put_in_order_by_what_is_there_of_each_key(keys, is_lean, tmp_path, monkeypatch):
    monkeypatch.setattr(lean, "GROUP_ROWS", 2)
    rows = [
        Named(None, "b", 1),
        Named("a", "z", 2),
        Named("", "y", 3),
        Named("c", "x", 4),
        Named("B", "w", 5),
    ]
    table = tables.table_of_rows(Named, rows)
    if is_lean:
        table = joined_parts(_put_by(tmp_path, [rows[:3], rows[3:]], Named), most_bytes=1 << 20)

    def key(row):
        return [next((v for n in names if (v := getattr(row, n)) is not None), "").encode() for names in keys]

    found = list(lean.groups(table, lean.order_of(table, *keys)))
    assert [t.num_rows for t in found] == [2, 2, 1]
    assert [r for t in found for r in tables.rows_of(t, Named)] == sorted(rows, key=key)


def test_a_key_of_one_value_decides_nothing(tmp_path):
    rows = [Named("a", "z", 2), Named("a", "b", 1)]
    table = joined_parts(_put_by(tmp_path, [rows], Named), most_bytes=1 << 20)
    assert lean.order_of(table, ("name",), ("other",)).tolist() == [1, 0]
    assert lean.order_of(table, ("name",)).tolist() == [0, 1]
