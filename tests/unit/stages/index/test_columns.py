"""A series is found whole wherever the tables that it comes in end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.base import tables
from isocenter.stages.index.columns import COLUMNS, series_in
from tests.unit.stages.grouping import members_of, table_with_keys
from tests.unit.stages.rows import a_slice


def _cut(rows, cuts):
    edges = [0, *sorted(cuts), len(rows)]
    return [rows[a:b] for a, b in pairwise(edges) if b > a]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.sets(st.integers(1, 24)))
def test_series_are_whole_wherever_tables_end(counts, cuts):
    rows = [
        a_slice(10 * s + n, series_uid=f"1.{s}", site="ab"[s % 2] if s < 2 else "c", rows=s, position_mm=())
        for s, count in enumerate(counts)
        for n in range(count)
    ]
    answer = [table_with_keys(part) for part in _cut(rows, [c for c in cuts if c < len(rows)])]
    found = [(m.value("series_uid"), m.value("rows"), m.file_ids) for m in series_in(answer)]
    assert found == [(f"1.{s}", s, [r.file_id for r in rows if r.rows == s]) for s in range(len(counts))]


def test_no_tables_hold_no_series():
    assert list(series_in([])) == []


@pytest.mark.parametrize("name", ["orientation", "pixel_spacing_mm", "image_type", "shape", "kvp", "model"])
def test_every_row_has_its_own_value(name):
    values = {
        "orientation": [(1.0, 0, 0, 0, 1.0, 0), (), (1.0, 0, 0, 0, 1.0, 0), (0, 1.0, 0, 0, 0, 1.0)],
        "pixel_spacing_mm": [(), (1.0, 1.0), (1.0, 2.0), (1.0, 1.0)],
        "image_type": [("A", "B"), (), ("A",), ("A", "B")],
        "shape": [(), (1, 2, 3), (3, 2, 1), ()],
        "kvp": [None, 80.0, 120.0, 80.0],
        "model": [None, "", "One", "Two"],
    }[name]
    members = members_of([a_slice(n, **{name: v}) for n, v in enumerate(values)])
    assert [members.value(name, n) for n in range(4)] == values
    assert [members.row(n)[name] for n in range(4)] == values
    assert set(members.distinct(name)) == set(values)
    assert not members.is_one(name)
    assert members.tested(name, bool).tolist() == [bool(v) for v in values]
    assert set(members.together((name, "modality"))) == {(v, "CT") for v in values}


def test_all_columns_of_the_grouping_are_columns_of_instances():
    assert set(COLUMNS) <= set(tables.schema_of(type(a_slice())).names)
