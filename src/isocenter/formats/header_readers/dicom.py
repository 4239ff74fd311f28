"""DICOM headers of many files at once, walked in machine code; what is unusual is left to pydicom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from isocenter.formats.dicom import slots, steps
from isocenter.formats.dicom.columns import NUMBER_RULES, SIGN, headers_of, read_values
from isocenter.formats.dicom.found import Found, frozen
from isocenter.formats.dicom.together import walk_and_read
from isocenter.formats.dicom.walk import walk
from isocenter.formats.header_reader import Headers, Heads
from isocenter.formats.limits import Limits

# What is read on at a time behind a jump; a header whose end cannot be found so is not worth the trouble.
_PIECE = 4096
_MAX_PIECES = 2048
# Bytes behind the heads in which values lie, for all files together; those that want more are left out.
_MOST_BYTES = 64 << 20
# Memory of one batch that is used again for the next one, of so many files at most.
_MOST_KEPT = 4096
_Cells = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]
_NOTHING_KEPT = (
    np.empty((0, 0), np.int64),
    np.empty((0, 0), np.int32),
    np.empty((0, 0), np.int32),
    np.empty((0, 0), np.int64),
)
_KEPT: list[_Cells] = []


def read(heads: Heads, limits: Limits) -> Headers:
    """Read the headers of those files that are understood."""
    count = len(heads.starts)
    with _cells(count) as (starts, counts, vrs, stacks):
        state = np.zeros((count, steps.STATES), np.int64)
        arena = frozen(heads.arena)
        found = Found(arena, frozen(np.empty(0, np.uint8)), starts, counts, vrs, state)
        is_read = _walk_first(heads, found, stacks, limits)
        found.extra = _walk_on(heads, found, stacks, limits)
        files = np.flatnonzero(state[:, steps.PHASE] == steps.DONE)
        left = files[~is_read[files]]
        if left.size:
            some = found.taken(left)
            read_values(some)
            found.put(left, some)
        return headers_of(found.taken(files), files, count)


@contextmanager
def _cells(count: int) -> Iterator[_Cells]:
    """Room for address, length and value representation of each wanted value, (N, W) each, and for open sequences.

    No column is made of them. Memory that the system hands out anew for every batch costs more than what is done with it.
    """
    try:
        kept = _KEPT.pop()
    except IndexError:  # for the first time, or another thread has it
        kept = _NOTHING_KEPT
    if not 0 < count <= len(kept[0]):
        shape = (count, len(slots.KEYWORDS))
        stacks = np.empty((count, 2 * steps.MAX_DEPTH), np.int64)
        kept = np.empty(shape, np.int64), np.empty(shape, np.int32), np.empty(shape, np.int32), stacks
    try:
        yield kept[0][:count], kept[1][:count], kept[2][:count], kept[3][:count]
    finally:
        if 0 < count <= _MOST_KEPT and not _KEPT:
            _KEPT.append(kept)


def _walk_first(heads: Heads, found: Found, stacks: NDArray[np.int64], limits: Limits) -> NDArray[np.bool_]:
    """Walk through the heads, and read the values of those that end there; which these are."""
    count = len(heads.starts)
    is_read = np.zeros(count, np.bool_)
    walk_and_read(
        found.memory,
        np.stack([heads.starts, np.zeros_like(heads.starts), heads.counts], axis=1),
        np.arange(count),
        heads.sizes,
        found.state,
        stacks,
        (slots.TAGS, slots.ROLES),
        found.cells,
        slots.TABLES,
        steps.bounds_of(limits),
        (slots.TEXT_SLOTS, slots.IS_UID),
        (slots.NUMBER_SLOTS, NUMBER_RULES),
        slots.FORMS,
        SIGN,
        found.values,
        found.status,
        is_read,
    )
    return is_read


def _walk_on(heads: Heads, found: Found, stacks: NDArray[np.int64], limits: Limits) -> NDArray[np.uint8]:
    """Walk all other headers to their end; the bytes that had to be read on for it."""
    state, which = found.state, np.arange(len(found.state))
    pieces, shift = [np.empty(0, np.uint8)], found.arena.size
    for _ in range(_MAX_PIECES):
        which = which[state[which, steps.NEED] > 0]
        if not which.size or shift - found.arena.size > _MOST_BYTES:
            break
        buffer, windows = _more(heads, state, which)
        _walk(found, stacks, buffer, shift, which, windows, heads, limits)
        # what was only walked over is not kept
        if (found.starts[which] >= shift).any():
            pieces.append(buffer)
            shift += buffer.size
    state[which[state[which, steps.NEED] > 0], steps.PHASE] = steps.UNKNOWN
    return frozen(np.concatenate(pieces))


def _walk(
    found: Found,
    stacks: NDArray[np.int64],
    data: NDArray[np.uint8],
    shift: int,
    which: NDArray[np.int64],
    windows: NDArray[np.int64],
    heads: Heads,
    limits: Limits,
) -> None:
    want, bounds = (slots.TAGS, slots.ROLES), steps.bounds_of(limits)
    walk(
        data, shift, which, windows, heads.sizes, found.state, stacks, want, found.cells, slots.TABLES, bounds
    )


def _more(
    heads: Heads, state: NDArray[np.int64], which: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read on in some files; the bytes, and where the window of each begins in them and begins and ends in its file."""
    data, windows = bytearray(), np.empty((which.size, 3), np.int64)
    for n, i in enumerate(which.tolist()):
        at, need = int(state[i, steps.POSITION]), int(state[i, steps.NEED])
        left = int(heads.sizes[i]) - at
        is_header = state[i, steps.PHASE] != steps.FRAGMENTS
        piece = heads.more(i, at, min(max(need, _PIECE) if is_header else need, left))
        windows[n] = len(data), at, at + len(piece)
        if len(piece) < need:
            state[i, steps.PHASE] = steps.UNKNOWN
        data += piece
    return np.frombuffer(bytes(data), np.uint8), windows
