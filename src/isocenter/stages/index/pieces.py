"""Pieces: rows that come in one order and are written in another, a few in memory at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from isocenter.base import tables
from isocenter.base.database import Database
from isocenter.base.tables import Table
from isocenter.model.attributes import Attribute

_AT_ONCE = 1024
# A row of stacks names all its files, and there may be thousands of those.
_ITEMS_AT_ONCE = 200_000


class Pieces:
    """Rows of one table, put by in files until they can be sorted by their id.

    Args:
        folder: Where they are put by; it must exist.
        row_type: The dataclass of the rows; its texts come from tables, so none needs escaping.
    """

    def __init__(self, folder: Path, row_type: type) -> None:
        self._folder = folder
        self._row_type = row_type
        self._names = [f.name for f in dataclasses.fields(row_type)]
        self._rows: list[Any] = []
        self._items = 0
        self._paths: list[Path] = []
        self.count = 0

    def add(self, row: Any, *, items: int = 1) -> None:
        """Add one row; `items` is how many things it names."""
        self._rows.append(row)
        self._items += items
        self.count += 1
        if len(self._rows) >= _AT_ONCE or self._items >= _ITEMS_AT_ONCE:
            self._put_by()

    def _put_by(self) -> None:
        path = self._folder / f"{self._row_type.__name__}-{len(self._paths):06}.parquet"
        tables.write_part(path, self._table(self._rows))
        self._paths.append(path)
        self._rows, self._items = [], 0

    def _table(self, rows: Sequence[Any]) -> Table:
        columns = {n: [getattr(r, n) for r in rows] for n in self._names}
        if "attributes" in columns:
            columns["attributes"] = [[_plain(a) for a in of_row] for of_row in columns["attributes"]]
        if "suv" in columns:
            columns["suv"] = [None if s is None else dataclasses.asdict(s) for s in columns["suv"]]
        return tables.table_of_columns(self._row_type, columns, len(rows))

    def write(self, database: Database, path: Path) -> None:
        """Write all rows as one table, sorted by id."""
        with tables.Writer(path, self._row_type) as writer:
            for table in self._sorted(database):
                writer.write(table)

    def _sorted(self, database: Database) -> Iterator[Table]:
        if not self._paths:
            yield self._table(sorted(self._rows, key=lambda r: r.id))
            return
        if self._rows:
            self._put_by()
        name = f"pieces_{self._row_type.__name__}"
        database.view(name, self._row_type, self._paths)
        yield from database.tables(f"SELECT * FROM {name} ORDER BY id", size=_AT_ONCE)


def _plain(attribute: Attribute) -> dict[str, str]:
    return {
        "name": attribute.name,
        "value": attribute.value,
        "unit": attribute.unit,
        "state": attribute.state.value,
        "source": attribute.source,
    }
