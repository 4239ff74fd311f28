"""Headers walked through and read some at a time: what lies in the processor's own memory is not fetched again."""

from __future__ import annotations

from typing import Any

from isocenter.formats.dicom.steps import DONE, PHASE, kernel
from isocenter.formats.dicom.values import read_numbers, strip_texts
from isocenter.formats.dicom.walk import walk

# So many headers are walked through before their values are read.
_AT_ONCE = 64


@kernel
def walk_and_read(
    memory: Any,
    windows: Any,
    which: Any,
    sizes: Any,
    state: Any,
    stacks: Any,
    want: Any,
    cells: Any,
    tables: Any,
    limits: Any,
    texts: Any,
    numbers: Any,
    forms: Any,
    sign: Any,
    values: Any,
    status: Any,
    is_read: Any,
) -> Any:
    """Walk through the heads of all files, and read the values where the headers end within them.

    Args:
        memory: The heads, and nothing: the two arrays that addresses lead into.
        windows: Where each head begins, and where it begins and ends in its file, (N, 3).
        which: The numbers of all files, (N,).
        sizes: As `walk` takes it.
        state: As `walk` takes it.
        stacks: As `walk` takes it.
        want: As `walk` takes it.
        cells: As `walk` takes it, but holding anything.
        tables: As `walk` takes it.
        limits: As `walk` takes it.
        texts: Slots of texts, and which of them must be UIDs.
        numbers: Slots of numbers, and their rules, as `read_numbers` takes them.
        forms: What each slot is made of in implicit VR, (W,).
        sign: The slot of Pixel Representation.
        values: The numbers, (N, M).
        status: What is found of each cell, (N, W).
        is_read: Whether the values of a file were read, (N,).
    """
    arena, extra = memory
    for first in range(0, which.size, _AT_ONCE):
        last = min(first + _AT_ONCE, which.size)
        cells[0][first:last], cells[1][first:last], cells[2][first:last] = -1, -1, 0
        walk(
            arena,
            0,
            which[first:last],
            windows[first:last],
            sizes,
            state,
            stacks,
            want,
            cells,
            tables,
            limits,
        )
        are_done = True
        for n in range(first, last):
            are_done = are_done and state[n, PHASE] == DONE
        if are_done:
            own = (cells[0][first:last], cells[1][first:last], cells[2][first:last])
            strip_texts(arena, extra, own, texts[0], texts[1], forms, status[first:last])
            read_numbers(
                arena, extra, own, numbers[0], numbers[1], forms, sign, values[first:last], status[first:last]
            )
            is_read[first:last] = True
