"""Tables: rows are frozen dataclasses, columns are Arrow, files are Parquet; with `arrow` and `lean`, the door to pyarrow."""

from __future__ import annotations

import dataclasses
import enum
import functools
import os
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray

from isocenter.base.arrow import Array, plain_text
from isocenter.base.digests import digest_of
from isocenter.base.errors import StaleArtefact
from isocenter.base.files import sync_folder, write_atomically

Row = TypeVar("Row")

# An Arrow table; other rooms hand it on and never look inside.
Table: TypeAlias = Any

# Rows of a row group: fixed, so that same rows are same bytes, and small, so that few are in memory at once.
GROUP_ROWS = 16_384

# How tables are put by and handed on: quickly, and small enough for a slow disk.
_IN_ARROW = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_FROM_ARROW = pa.ipc.IpcReadOptions(use_threads=False)
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
    write_table(path, table_of_rows(row_type, rows))


def table_of_rows(row_type: type[Row], rows: Iterable[Row]) -> Table:
    """An Arrow table of rows."""
    schema = schema_of(row_type)
    names = schema.names
    columns: dict[str, list[Any]] = {n: [] for n in names}
    for row in rows:
        for name in names:
            columns[name].append(_out(getattr(row, name)))
    return pa.table({n: pa.array(columns[n], schema.field(n).type) for n in names}, schema=schema)


def table_of_columns(row_type: type, columns: Mapping[str, Array], count: int) -> Table:
    """An Arrow table of columns; a field without one has its default in every row."""
    schema = schema_of(row_type)
    arrays = []
    for field in dataclasses.fields(cast("Any", row_type)):
        kind = schema.field(field.name).type
        if field.name in columns:
            arrays.append(_cast(columns[field.name], kind))
        else:
            arrays.append(_defaults(row_type, count)[field.name])
    return pa.Table.from_arrays(arrays, schema=schema)


@functools.lru_cache(maxsize=4)
def _defaults(row_type: type, count: int) -> dict[str, Array]:
    """Every field's default as a column; batches are of one length as a rule."""
    schema = schema_of(row_type)
    fields = dataclasses.fields(cast("Any", row_type))
    given = {f.name: None if f.default is dataclasses.MISSING else f.default for f in fields}
    return {n: pa.repeat(pa.scalar(_out(v), schema.field(n).type), count) for n, v in given.items()}


def _cast(values: Any, kind: Any) -> Array:
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks)
    array = values if isinstance(values, pa.Array) else pa.array(values, kind)
    return array if array.type == kind else array.cast(kind)


def to_bytes(table: Table) -> bytes:
    """A table as bytes that can travel between processes, or be put by in a file that is soon read again (`parts`)."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=_IN_ARROW) as file:
        file.write_table(table)
    return cast("bytes", sink.getvalue().to_pybytes())


def from_bytes(data: bytes) -> Table:
    """A table from what `to_bytes` made of it."""
    return pa.ipc.open_file(data, options=_FROM_ARROW).read_all()


def parts(row_type: type, paths: Sequence[Path]) -> Any:
    """Files of `to_bytes`, named `<number>_<whatever>`, to be asked by a database: all columns, and `part`, the number."""
    schema = pa.schema([*schema_of(row_type), pa.field("part", pa.int64())])
    if not paths:
        return schema.empty_table()
    numbered = ds.FilenamePartitioning(pa.schema([schema.field("part")]))
    return ds.dataset([str(p) for p in paths], schema=schema, format="ipc", partitioning=numbered)


def each_part(paths: Sequence[Path]) -> Iterator[Table]:
    """The rows of such files, one after the other."""
    for path in paths:
        yield from_bytes(path.read_bytes())


def joined_parts(paths: Sequence[Path], *, most_bytes: int) -> Table | None:
    """The rows of such files in one table; None where they would take more memory."""
    found: list[Table] = []
    for table in each_part(paths):
        found.append(table)
        most_bytes -= table.nbytes
        if most_bytes < 0:
            return None
    return pa.concat_tables(found) if found else None


def table_of_batch(batch: Any) -> Table:
    """A table of one Arrow record batch."""
    return pa.Table.from_batches([batch])


def joined(tables: Sequence[Table]) -> Table:
    """Tables of one form, one below the other."""
    return pa.concat_tables(tables).combine_chunks()


def with_column(table: Table, name: str, values: Array) -> Table:
    """A table with one column replaced."""
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), _cast(values, table.schema.field(at).type))


def selected(table: Table, names: Sequence[str]) -> Table:
    """Some columns of a table."""
    return table.select(list(names))


def sorted_by(table: Table, *names: str) -> Table:
    """A table in the order of some columns without gaps, texts byte by byte; as it is where it stands in that order."""
    columns = [table.column(n).combine_chunks() for n in names]
    is_rising, is_tied = None, None
    for column in columns if table.num_rows > 1 else ():
        before, after = column[:-1], column[1:]
        less, equal = pc.less(before, after), pc.equal(before, after)
        is_rising = less if is_rising is None else pc.or_(is_rising, pc.and_(is_tied, less))
        is_tied = equal if is_tied is None else pc.and_(is_tied, equal)
    if is_rising is None or pc.all(pc.or_(is_rising, is_tied)).as_py():
        return table
    return table.take(pc.sort_indices(table, sort_keys=[(n, "ascending") for n in names]))


def taken(table: Table, rows: NDArray[np.int64]) -> Table:
    """Some rows of a table, in the order given."""
    return table.take(pa.array(rows))


class Writer:
    """Writes a Parquet file table by table; it appears under its name when all are written.

    Row groups have a fixed number of rows, however the rows came: same rows, same bytes.

    Args:
        path: The file.
        row_type: The dataclass of its rows.
        is_kept: Whether the file is to stay; one that is soon taken away is not compressed.
    """

    def __init__(self, path: Path, row_type: type, *, is_kept: bool = True) -> None:
        self._path = path
        # what repeats is packed as well without dictionaries, and nobody asks for single row groups
        self._options: dict[str, Any] = {
            "compression": "zstd" if is_kept else "none",
            "use_dictionary": False,
            "write_statistics": False,
        }
        if is_kept:
            # numbers repeat, or count up: they are packed before they are compressed
            numbers = [f.name for f in schema_of(row_type) if f.type == pa.int64()]
            self._options["column_encoding"] = dict.fromkeys(numbers, "DELTA_BINARY_PACKED")
        self._temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
        self._schema = schema_of(row_type)
        self._pending: list[Table] = []
        self._rows = 0
        self._file: Any = None

    def __enter__(self) -> Self:
        self._file = pq.ParquetWriter(self._temporary, self._schema, **self._options)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._rows:
                self._flush(self._rows)
            self._file.close()
            if kind is None:
                with self._temporary.open("rb") as file:
                    os.fsync(file.fileno())
                self._temporary.replace(self._path)
                sync_folder(self._path.parent)
        finally:
            self._temporary.unlink(missing_ok=True)

    def write(self, table: Table) -> None:
        """Add the rows of a table."""
        self._pending.append(table.cast(self._schema))
        self._rows += table.num_rows
        whole = self._rows - self._rows % GROUP_ROWS
        if whole:
            self._flush(whole)

    def _flush(self, rows: int) -> None:
        table = pa.concat_tables(self._pending)
        for start in range(0, rows, GROUP_ROWS):
            part = table.slice(start, min(GROUP_ROWS, rows - start)).combine_chunks()
            self._file.write_table(part, row_group_size=GROUP_ROWS)
        self._pending, self._rows = [table.slice(rows)], self._rows - rows


def write_table(path: Path, table: pa.Table) -> None:
    """Write an Arrow table as one Parquet file, atomically."""
    write_atomically(
        path, lambda temporary: pq.write_table(table, temporary, compression="zstd", write_statistics=True)
    )


def write_part(path: Path, table: Table) -> None:
    """Write a table that is soon read again and then taken away: as fast as may be, larger than it could be."""
    write_atomically(
        path, lambda temporary: pq.write_table(table, temporary, compression="none", write_statistics=False)
    )


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file as an Arrow table.

    Raises:
        StaleArtefact: it is damaged.
    """
    with _reading(path):
        return pq.read_table(path, columns=list(columns) if columns else None)


def read_tables(path: Path, size: int) -> Iterator[Table]:
    """The rows of a Parquet file in their order, so many at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=size, use_threads=False):
            yield table_of_batch(batch)


def read(path: Path, row_type: type[Row]) -> Iterator[Row]:
    """Rows of a Parquet file, one at a time, typed.

    Raises:
        StaleArtefact: it is damaged, or another version of the package wrote it with other columns.
    """
    back = _reader(cast("Any", row_type))
    with _reading(path), pq.ParquetFile(path) as file:
        _check_columns(path, schema_of(row_type).names, file)
        for batch in file.iter_batches(batch_size=4096):
            for record in batch.to_pylist():
                yield cast("Row", back(record))


def rows_of(table: Table, row_type: type[Row]) -> Iterator[Row]:
    """Rows of an Arrow table, typed."""
    back = _reader(cast("Any", row_type))
    for record in table.to_pylist():
        yield cast("Row", back(record))


def _check_columns(path: Path, names: list[str], file: Any) -> None:
    if set(names) - set(file.schema_arrow.names):
        raise StaleArtefact(f"{_name(path)} was written by another version; run again to make it anew")


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


def release() -> None:
    """Give memory back that tables no longer need: a process that is forked off now would keep it for itself."""
    pa.default_memory_pool().release_unused()


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
    return plain_text(value) if isinstance(value, str) else value


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
