"""Tables: rows are frozen dataclasses, columns are Arrow, files are Parquet; the one door to pyarrow."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from isocenter.base.digests import digest_of
from isocenter.base.errors import StaleArtefact
from isocenter.base.files import write_atomically

Row = TypeVar("Row")

_PLAIN = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), bytes: pa.binary()}


def schema_of(row_type: type) -> pa.Schema:
    """Arrow schema of a row dataclass: fields in order, tuples as lists, dataclasses as structs."""
    return _schema(row_type)


def form_of(*row_types: type) -> str:
    """Digest of the columns of some tables: tables of another form were written by another version."""
    return digest_of([str(schema_of(t)) for t in row_types])


@functools.cache
def _schema(row_type: Any) -> pa.Schema:
    hints = get_type_hints(row_type)
    return pa.schema([pa.field(f.name, _arrow(hints[f.name])) for f in dataclasses.fields(row_type)])


def write(path: Path, row_type: type[Row], rows: Iterable[Row]) -> None:
    """Write rows as one Parquet file, atomically; same rows, same bytes."""
    schema = schema_of(row_type)
    names = schema.names
    columns: dict[str, list[Any]] = {n: [] for n in names}
    for row in rows:
        for name in names:
            columns[name].append(_out(getattr(row, name)))
    table = pa.table({n: pa.array(columns[n], schema.field(n).type) for n in names}, schema=schema)
    write_table(path, table)


def write_table(path: Path, table: pa.Table) -> None:
    """Write an Arrow table as one Parquet file, atomically."""
    write_atomically(
        path, lambda temporary: pq.write_table(table, temporary, compression="zstd", write_statistics=True)
    )


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file as an Arrow table.

    Raises:
        StaleArtefact: it is damaged.
    """
    with _reading(path):
        return pq.read_table(path, columns=list(columns) if columns else None)


def read(path: Path, row_type: type[Row]) -> Iterator[Row]:
    """Rows of a Parquet file, one at a time, typed.

    Raises:
        StaleArtefact: it is damaged, or another version of the package wrote it with other columns.
    """
    back = _reader(cast("Any", row_type))
    with _reading(path), pq.ParquetFile(path) as file:
        if set(schema_of(row_type).names) - set(file.schema_arrow.names):
            raise StaleArtefact(f"{_name(path)} was written by another version; run again to make it anew")
        for batch in file.iter_batches(batch_size=4096):
            for record in batch.to_pylist():
                yield cast("Row", back(record))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what Arrow says of a damaged file into what a person can do about it."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        folder = path.parent.name
        raise StaleArtefact(f"{_name(path)} is damaged; delete the folder {folder} and run again") from None


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def count(path: Path) -> int:
    """Number of rows of a Parquet file, from its footer."""
    return int(pq.read_metadata(path).num_rows)


def _arrow(hint: Any) -> pa.DataType:
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _arrow(next(a for a in args if a is not type(None)))
    if origin is tuple:
        return pa.list_(_arrow(args[0]))
    if isinstance(hint, type) and issubclass(hint, enum.StrEnum):
        return pa.string()
    if dataclasses.is_dataclass(hint):
        return pa.struct(list(_schema(cast("Any", hint))))
    raise TypeError(f"no column type for {hint}")


def _out(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _out(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_out(v) for v in value]
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, str):  # names of files may hold bytes that are no UTF-8, headers anything
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


@functools.cache
def _reader(hint: Any) -> Any:
    """A function that turns a plain value read from a table into the hinted type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = _reader(next(a for a in args if a is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        item = _reader(args[0])
        return lambda value: tuple(item(v) for v in value)
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        fields = [(f.name, _reader(hints[f.name])) for f in dataclasses.fields(hint)]
        make = cast("type", hint)
        return lambda value: make(**{name: back(value[name]) for name, back in fields})
    if isinstance(hint, type) and issubclass(hint, enum.StrEnum):
        return hint
    return lambda value: value
