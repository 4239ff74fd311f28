"""Lean tables: a column that holds one value in all rows is kept once; with `tables`, the door to pyarrow.

Of a hundred attributes of a header most are absent, or the same wherever one looks: to copy, sort and compare them
row by row takes more time and memory than all others together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from isocenter.base.arrow import Array
from isocenter.base.tables import GROUP_ROWS, Table, each_part

# What the field of such a column says of itself.
_SAID = {b"isocenter": b"one value"}


def joined_parts(paths: Sequence[Path], *, most_bytes: int) -> Table | None:
    """The rows of files of `tables.to_bytes` in one table; None where they hold more than may be kept in memory."""
    whole = _Whole()
    for part in each_part(paths):
        most_bytes -= part.nbytes
        if most_bytes < 0:
            return None
        whole.add(part)
    return whole.table() if paths else None


def one_valued(table: Table) -> frozenset[str]:
    """The columns that are marked: they hold one value in all rows."""
    return frozenset(field.name for field in table.schema if _is_marked(field))


def order_of(table: Table, *keys: Sequence[str]) -> NDArray[np.int64]:
    """The rows of a table by some keys, texts byte by byte; of each key the first of its columns that is there, else ""."""
    marked = one_valued(table)
    given = [
        pc.coalesce(*(table.column(n) for n in names), "") for names in keys if not marked.issuperset(names)
    ]
    if not given:
        return np.arange(table.num_rows)
    names = [f"key {n}" for n in range(len(given))]
    order = pc.sort_indices(pa.table(given, names=names), sort_keys=[(n, "ascending") for n in names])
    return np.asarray(order.to_numpy(), np.int64)


def groups(table: Table, order: NDArray[np.int64]) -> Iterator[Table]:
    """The rows of a table in some order, as many at a time as a row group has."""
    marked = one_valued(table)
    others = table.select([n for n in table.column_names if n not in marked])
    for start in range(0, len(order), GROUP_ROWS):
        rows = order[start : start + GROUP_ROWS]
        # rows of one group are often near each other: what is far from them need not be looked at
        first = int(rows.min())
        found = others.slice(first, int(rows.max()) - first + 1).take(pa.array(rows - first))
        columns = [
            table.column(n).slice(0, len(rows)) if n in marked else found.column(n)
            for n in table.column_names
        ]
        yield pa.Table.from_arrays(columns, schema=table.schema)


def plain(table: Table) -> Table:
    """The same table without marks, to be changed."""
    fields = [field.remove_metadata() if _is_marked(field) else field for field in table.schema]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields, table.schema.metadata))


def _is_marked(field: Any) -> bool:
    return field.metadata is not None and _SAID.items() <= field.metadata.items()


class _Whole:
    """Tables that are joined, and the columns that held one value so far."""

    def __init__(self) -> None:
        self._schema: Any = None
        self._same: dict[str, Array] = {}
        self._others: list[dict[str, Array]] = []
        self._counts: list[int] = []

    def add(self, part: Table) -> None:
        """Add the rows of a table; nothing is kept of columns that hold what they held before."""
        self._schema = self._schema or part.schema
        if not part.num_rows:
            return
        columns = {n: _in_one_piece(part.column(n)) for n in part.column_names}
        if not self._counts:
            self._same = {n: _repeated(c, max(GROUP_ROWS, len(c))) for n, c in columns.items()}
        for name in [n for n, same in self._same.items() if not _is_all(columns[n], same)]:
            same = self._same.pop(name)
            for count, earlier in zip(self._counts, self._others, strict=True):
                earlier[name] = _of_length(same, count)
        self._others.append({n: c for n, c in columns.items() if n not in self._same})
        self._counts.append(part.num_rows)

    def table(self) -> Table:
        """All rows."""
        columns, fields, total = [], [], sum(self._counts)
        for field in self._schema:
            if field.name in self._same:
                columns.append(_chunks(self._same[field.name], total))
                fields.append(field.with_metadata(_SAID))
            else:
                columns.append(pa.chunked_array([o[field.name] for o in self._others], field.type))
                fields.append(field)
        return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _in_one_piece(column: Any) -> Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _repeated(column: Array, count: int) -> Array:
    """The first value of a column again and again."""
    if not pa.types.is_list(column.type) or column.null_count:
        return pa.repeat(column[0], count)
    items = column.slice(0, 1).flatten()
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(len(items))
    return pa.ListArray.from_arrays(offsets, items.take(np.tile(np.arange(len(items)), count)), column.type)


def _of_length(same: Array, count: int) -> Array:
    return same.slice(0, count) if count <= len(same) else _repeated(same, count)


def _chunks(same: Array, count: int) -> Any:
    """A column of one value, all of whose pieces are the same memory."""
    size = len(same)
    return pa.chunked_array(
        [*[same] * (count // size), *([same.slice(0, count % size)] if count % size else [])], same.type
    )


def _is_all(column: Array, same: Array) -> bool:
    """Whether a column holds nothing but one value, bit by bit."""
    gaps, count = column.null_count, len(column)
    if gaps or same.null_count:
        return bool(gaps == count and same.null_count)
    return bool(_bits(column).equals(_bits(_of_length(same, count))))


def _bits(column: Array) -> Array:
    """A column of which equal values have equal bits: 0.0 and -0.0 are two numbers."""
    if pa.types.is_floating(column.type):
        return column.view(pa.int64())
    if pa.types.is_list(column.type) and pa.types.is_floating(column.type.value_type):
        return pa.ListArray.from_arrays(column.offsets, column.values.view(pa.int64()))
    return column
