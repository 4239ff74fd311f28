"""Cells that lie scattered over many headers, gathered into columns as Arrow lays them out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.formats.dicom.steps import byte_at, kernel
from isocenter.formats.dicom.values import trim
from isocenter.formats.header_reader import Lists, Numbers, Texts

_BACKSLASH = 92


@kernel
def _measure(counts: Any, rows: Any, slots: Any, offsets: Any, is_valid: Any) -> Any:
    """Where each text of some columns begins, all columns one after the other; how many bytes they are."""
    total = 0
    for t in range(slots.size):
        k, size = slots[t], 0
        for n in range(rows.size):
            offsets[t, n] = size
            count = counts[rows[n], k]
            is_valid[t, n] = count >= 0
            size += max(count, 0)
        offsets[t, rows.size] = size
        total += size
    return total


@kernel
def _copy(arena: Any, extra: Any, starts: Any, counts: Any, rows: Any, slots: Any, out: Any) -> Any:
    """Copy the bytes of some columns, one column after the other."""
    to = 0
    for t in range(slots.size):
        k = slots[t]
        for n in range(rows.size):
            i = rows[n]
            at, b = starts[i, k], arena
            if at >= arena.size:
                at, b = at - arena.size, extra
            size = max(counts[i, k], 0)
            for m in range(size):
                out[np.uint64(to + m)] = byte_at(b, at + m)
            to += size


@kernel
def _split(data: Any, offsets: Any, is_valid: Any, out: Any, items: Any, ends: Any) -> Any:
    """Cut texts at backslashes: where each list begins, and each item; how many items and bytes there are."""
    size, n_items = 0, 0
    for n in range(is_valid.size):
        ends[n] = n_items
        if not is_valid[n]:
            continue
        at, end = offsets[n], offsets[n + 1]
        while at <= end:
            stop = at
            while stop < end and byte_at(data, stop) != _BACKSLASH:
                stop += 1
            first, last = trim(data, at, stop)
            for m in range(first, last):
                out[size] = byte_at(data, m)
                size += 1
            n_items += 1
            items[n_items] = size
            at = stop + 1
    ends[is_valid.size] = n_items
    return n_items, size


@kernel
def _compare(
    arena: Any, extra: Any, starts: Any, counts: Any, rows: Any, k: Any, value: Any, out: Any
) -> Any:
    """Mark the texts of a column that are a certain one."""
    for n in range(rows.size):
        i = rows[n]
        if counts[i, k] != value.size:
            continue
        at, b = starts[i, k], arena
        if at >= arena.size:
            at, b = at - arena.size, extra
        out[n] = True
        for m in range(value.size):
            out[n] = out[n] and b[at + m] == value[m]


@kernel
def _mark_runs(data: Any, offsets: Any, out: Any) -> Any:
    """Mark the texts that differ from the one before."""
    for n in range(1, out.size):
        at, before, size = offsets[n], offsets[n - 1], offsets[n + 1] - offsets[n]
        is_same = at - before == size
        for m in range(size if is_same else 0):
            is_same = is_same and data[before + m] == data[at + m]
        out[n] = not is_same


def begins_run(texts: Texts) -> NDArray[np.bool_]:
    """Which texts differ from the one before; the first one does."""
    out = np.ones(len(texts.is_valid), np.bool_)
    _mark_runs(texts.data, texts.offsets, out)
    return out


def text_at(texts: Texts, row: int) -> bytes:
    """One of some texts."""
    return texts.data[texts.offsets[row] : texts.offsets[row + 1]].tobytes()


def gather(memory: Any, cells: Any, rows: NDArray[np.int64], slots: NDArray[np.int64]) -> list[Texts]:
    """The texts of some slots as columns.

    Args:
        memory: The two arrays that addresses lead into.
        cells: Addresses and lengths, (N, W) each, among others.
        rows: Rows that are wanted, in order.
        slots: Slots that are wanted, in order.
    """
    offsets = np.empty((slots.size, rows.size + 1), np.int32)
    is_valid = np.empty((slots.size, rows.size), np.bool_)
    data = np.empty(_measure(cells[1], rows, slots, offsets, is_valid), np.uint8)
    _copy(memory[0], memory[1], cells[0], cells[1], rows, slots, data)
    ends = np.concatenate([[0], np.cumsum(offsets[:, -1], dtype=np.int64)]).tolist()
    return [Texts(data[ends[t] : ends[t + 1]], offsets[t], is_valid[t]) for t in range(slots.size)]


def are_equal(memory: Any, cells: Any, rows: NDArray[np.int64], slot: int, text: str) -> NDArray[np.bool_]:
    """Which texts of a slot are a certain one."""
    out = np.zeros(rows.size, np.bool_)
    _compare(
        memory[0], memory[1], cells[0], cells[1], rows, slot, np.frombuffer(text.encode(), np.uint8), out
    )
    return out


def split(texts: Texts) -> Lists:
    """Texts cut at backslashes into lists of stripped texts; empty where there is none."""
    n_most = len(texts.data) + len(texts.is_valid)
    out, items = np.empty(len(texts.data), np.uint8), np.zeros(n_most + 1, np.int32)
    ends = np.empty(len(texts.offsets), np.int32)
    n_items, size = _split(texts.data, texts.offsets, texts.is_valid, out, items, ends)
    return Lists(Texts(out[:size], items[: n_items + 1], np.ones(n_items, np.bool_)), ends)


def repeated(text: str, count: int) -> Texts:
    """A column of one text."""
    data = np.frombuffer(text.encode() * count, np.uint8)
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(len(text.encode()))
    return Texts(data, offsets, np.ones(count, np.bool_))


def tuples_of(values: NDArray[np.float64], is_there: NDArray[np.bool_]) -> Lists:
    """A column of tuples of one length, (N, L); () where there is none."""
    offsets = np.zeros(len(is_there) + 1, np.int32)
    np.cumsum(is_there * np.int32(values.shape[1]), out=offsets[1:])
    items = values[is_there].reshape(-1)
    return Lists(Numbers(items, np.ones(len(items), np.bool_)), offsets)


def raw_values(
    memory: Any, cells: Any, rows: NDArray[np.int64], slots: NDArray[np.int64]
) -> list[list[tuple[int, bytes] | None]]:
    """Values as they are in the file, one list per slot: value representation and bytes, None where one is absent.

    Args:
        memory: The two arrays that addresses lead into.
        cells: Addresses, lengths and value representations, (N, W) each.
        rows: Rows that are wanted, in order.
        slots: Slots that are wanted, in order.
    """
    out = []
    for slot, texts in zip(slots.tolist(), gather(memory, cells, rows, slots), strict=True):
        data, ends = texts.data.tobytes(), texts.offsets.tolist()
        known = zip(
            (cells[0][rows, slot] >= 0).tolist(),
            cells[2][rows, slot].tolist(),
            ends[:-1],
            ends[1:],
            strict=True,
        )
        out.append([(vr, data[a:b]) if is_there else None for is_there, vr, a, b in known])
    return out


def lists_of(rows: list[tuple[bytes, ...]]) -> Lists:
    """A column of tuples of texts."""
    if not any(rows):
        nothing = Texts(np.empty(0, np.uint8), np.zeros(1, np.int32), np.empty(0, np.bool_))
        return Lists(nothing, np.zeros(len(rows) + 1, np.int32))
    items = [text for row in rows for text in row]
    ends = np.cumsum([0, *map(len, items)], dtype=np.int32)
    data = np.frombuffer(b"".join(items), np.uint8)
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    return Lists(Texts(data, ends, np.ones(len(items), np.bool_)), offsets)
