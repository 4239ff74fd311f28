"""Arrow: from numpy to Arrow columns and back, a whole column at a time; beside `tables`, the door to pyarrow."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# An Arrow array; other rooms hand it on and never look inside.
Array: TypeAlias = Any


@contextmanager
def kept_memory() -> Iterator[None]:
    """Let Arrow take memory from the system's allocator meanwhile; what else the process does with Arrow is left alone.

    Arrow's own allocator gives pages back at once and asks for them anew: a third of all time of an index went there.
    """
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def texts(data: NDArray[np.uint8], offsets: NDArray[np.int32], is_valid: NDArray[np.bool_]) -> Array:
    """A column of texts from UTF-8 bytes and where each begins, (N + 1,)."""
    buffers = [
        _bitmap(is_valid),
        pa.py_buffer(np.ascontiguousarray(offsets)),
        pa.py_buffer(np.ascontiguousarray(data)),
    ]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)


def repeated(text: str, count: int) -> Array:
    """A column of one text."""
    return pa.repeat(pa.scalar(text, pa.string()), count)


def text_of_width(characters: NDArray[np.uint8]) -> Array:
    """A column of ASCII texts of one length, (N, width)."""
    count, width = characters.shape
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    return texts(characters.reshape(-1), offsets, np.ones(count, np.bool_))


def path_column(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Array:
    """A column of paths from their bytes, as `path_text` writes each."""
    content = data.tobytes()
    try:
        content.decode("utf-8")
        is_plain = b"\\u" not in content
    except UnicodeDecodeError:
        is_plain = False
    if is_plain:
        return texts(data, offsets.astype(np.int32), np.ones(len(offsets) - 1, np.bool_))
    pieces = [content[a:b] for a, b in itertools.pairwise(offsets.tolist())]
    return pa.array([path_text(p.decode("utf-8", "surrogateescape")) for p in pieces], pa.string())


def plain_text(text: str) -> str:
    """A text as a table holds it: headers may hold anything, half a character too."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def path_text(path: str) -> str:
    r"""A path as a table holds it: a byte that is no UTF-8 is `\udcff`, and the `\u` of a name itself `\u005cu`."""
    return plain_text(path.replace("\\u", "\\u005cu"))


def numbers(values: NDArray[Any], is_valid: NDArray[np.bool_] | None = None) -> Array:
    """A column of numbers or booleans, (N,)."""
    return pa.array(values, mask=None if is_valid is None else ~is_valid)


def lists(items: Array, offsets: NDArray[np.int32]) -> Array:
    """A column of tuples from their items and where each tuple begins, (N + 1,)."""
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)


def _bitmap(is_valid: NDArray[np.bool_]) -> Any:
    return pa.py_buffer(np.packbits(is_valid, bitorder="little"))


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column as codes, (N,): `values[codes[n]]` is the nth value; None is a value like any other."""

    codes: NDArray[np.int32]
    values: list[Any]


def coded(table: Any, name: str) -> Coded:
    """A column by its distinct values, in the order in which they first occur."""
    column = table.column(name)
    kind, count = column.type, len(column)
    if column.null_count == count:
        return Coded(np.zeros(count, np.int32), [None] if count else [])
    if pa.types.is_list(kind):
        if column.null_count == 0 and not pc.any(pc.greater(pc.list_value_length(column), 0)).as_py():
            return Coded(np.zeros(count, np.int32), [()])
        if not pa.types.is_string(kind.value_type):
            return _coded_plain(column.to_pylist())
        column = pc.binary_join(column, "\x1f")
    array = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    if array.null_count == 0 and pc.all(pc.equal(array, array[0])).as_py():
        codes, values = np.zeros(count, np.int32), [array[0].as_py()]
    else:
        known = array.dictionary_encode(null_encoding="encode")
        codes = known.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        values = known.dictionary.to_pylist()
    if pa.types.is_list(kind):
        # an empty text cannot be told from an empty tuple here; neither names anything
        values = [None if v is None else tuple(v.split("\x1f")) if v else () for v in values]
    return Coded(codes, values)


def _coded_plain(values: list[Any]) -> Coded:
    codes: dict[Any, int] = {}
    out = [codes.setdefault(None if v is None else tuple(v), len(codes)) for v in values]
    return Coded(np.array(out, dtype=np.int32), list(codes))


def floats(table: Any, name: str) -> NDArray[np.float64]:
    """A column of numbers, (N,); NaN where there is none."""
    column = table.column(name).cast(pa.float64())
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def integers(table: Any, *names: str) -> NDArray[np.int64]:
    """Columns of whole numbers without gaps, (N, number of columns)."""
    return np.stack([np.asarray(table.column(n).to_numpy(), np.int64) for n in names], axis=1)


def vectors(table: Any, name: str, width: int) -> NDArray[np.float64]:
    """A column of tuples of numbers, (N, width); NaN in rows that have another number of them."""
    column = table.column(name).combine_chunks()
    column = column if isinstance(column, pa.Array) else pa.concat_arrays(column.chunks)
    out = np.full((len(column), width), np.nan)
    lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False))
    starts = column.offsets.to_numpy()[:-1]
    items = column.values.to_numpy(zero_copy_only=False).astype(np.float64)
    whole = np.flatnonzero(lengths == width)
    if len(whole):
        out[whole] = items[starts[whole][:, None] + np.arange(width)]
    return out


def with_first(table: Any, name: str, *others: str) -> Any:
    """A table with one more column: the first of some others that is there."""
    return table.append_column(name, pc.coalesce(*(table.column(o) for o in others)))


def values(table: Any, name: str) -> list[Any]:
    """A column as plain values."""
    return cast("list[Any]", table.column(name).to_pylist())


def plain_values(array: Array) -> list[Any]:
    """An array as plain values."""
    return cast("list[Any]", array.to_pylist())
