"""What a walk over many headers has found: where the values lie, and what they are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isocenter.formats.dicom import slots, steps


def frozen(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same bytes, not to be written to: the kernels are compiled once for those alone."""
    out = array.view()
    out.flags.writeable = False
    return out


@dataclass(eq=False, slots=True)
class Found:
    """Some headers that were walked to their end.

    Args:
        arena: Bytes of addresses below its size.
        extra: Bytes of those above.
        starts: Address of each value, -1 where it is absent, (N, W).
        counts: Bytes of each value; of a text -1 where there is none, (N, W).
        vrs: Value representation of each value, 0 in implicit VR, (N, W).
        state: What `walk` says of each header, (N, STATES).
    """

    arena: NDArray[np.uint8]
    extra: NDArray[np.uint8]
    starts: NDArray[np.int64]
    counts: NDArray[np.int32]
    vrs: NDArray[np.int32]
    state: NDArray[np.int64]
    values: NDArray[np.float64] = field(init=False)
    status: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.state)
        # each attribute in one piece: from here on all headers are asked for one after the other
        self.values = np.zeros((int(slots.PLACES[-1]), count)).T
        self.status = np.zeros((len(slots.KEYWORDS), count), np.uint8).T

    def put(self, rows: NDArray[np.int64], others: Found) -> None:
        """Put what is known of others in the place of some of the headers."""
        if others is not self:
            self.starts[rows], self.counts[rows], self.vrs[rows] = others.cells
            self.values[rows], self.status[rows] = others.values, others.status

    def taken(self, rows: NDArray[np.int64]) -> Found:
        """Some of the headers, in order; where these are all nothing is copied."""
        if len(rows) == len(self.state):
            return self
        cells = self.starts[rows], self.counts[rows], self.vrs[rows]
        out = Found(self.arena, self.extra, *cells, self.state[rows])
        out.values[:], out.status[:] = self.values[rows], self.status[rows]
        return out

    @property
    def memory(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The two arrays that addresses lead into."""
        return self.arena, self.extra

    @property
    def cells(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
        """Addresses, lengths and value representations."""
        return self.starts, self.counts, self.vrs

    def number(self, keyword: str) -> NDArray[np.float64]:
        """The first number of an attribute, anything where it has none, (N,)."""
        out: NDArray[np.float64] = self.values[:, slots.PLACE[keyword]]
        return out

    def status_of(self, keyword: str) -> NDArray[np.uint8]:
        """What is known of an attribute, (N,)."""
        out: NDArray[np.uint8] = self.status[:, slots.SLOT[keyword]]
        return out

    def is_present(self, keyword: str) -> NDArray[np.bool_]:
        """Where an attribute is there, be it empty, (N,)."""
        out: NDArray[np.bool_] = self.starts[:, slots.SLOT[keyword]] >= 0
        return out

    def raw(self, row: int, keyword: str) -> tuple[str, bytes]:
        """Value representation and bytes of a value as it is in the file."""
        slot = slots.SLOT[keyword]
        at, count, vr = int(self.starts[row, slot]), int(self.counts[row, slot]), int(self.vrs[row, slot])
        name = steps.name_of_code(vr)
        if at < 0 or count <= 0:
            return name, b""
        if at < self.arena.size:
            return name, self.arena[at : at + count].tobytes()
        at -= self.arena.size
        return name, self.extra[at : at + count].tobytes()

    def is_native(self) -> NDArray[np.bool_]:
        """Where the pixel data lie in one piece as rows and columns, (N,)."""
        out: NDArray[np.bool_] = (self.state[:, steps.PIXELS] == 1) & (
            self.state[:, steps.SYNTAX] != steps.ENCAPSULATED
        )
        return out
