"""Voxels of a file of a case: one channel, a label map, or where something is known, as another tool wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import StoreCorrupt
from isocenter.exports.target import CaseFile, Content, Labels
from isocenter.model.case import SHARE_UNIT, Case

_MOST_LABELS = 64
_NO_VALUE = 65_535


class Voxels:
    """Arrays of one case, read when they are asked for.

    Args:
        case: The case.
        values: Label -> value in its masks, of all labels in the order of their values.
        labels: Those that are exported, in the same order; the others are background.
    """

    def __init__(self, case: Case, values: Mapping[str, int], labels: Labels) -> None:
        self._case = case
        self._values = values
        self._labels = labels
        self._shape = case.grid.shape
        self._mask: NDArray[Any] | None = None

    def of(self, file: CaseFile) -> NDArray[Any]:
        """What a file holds, (K, J, I)."""
        case = self._case
        match file.content:
            case Content.IMAGE:
                return self._image(file.name)
            case Content.LABELS:
                return self._label_map(file)
            case Content.LABEL:
                return _plain(self._marked(self.mask(), file.name))
            case Content.KNOWN:
                return _plain(self.known(file.name))
            case Content.RATER:
                drawn = np.asarray(case.raters[file.name])
                return _plain(self._marked(drawn, file.label)) if file.label else drawn
            case Content.SHARE:
                return np.asarray(case.shares[file.name]) / np.float32(SHARE_UNIT)
            case Content.INSTANCES:
                return np.asarray(case.instances)
            case Content.VALID:
                return _plain(np.asarray(case.valid))
            case Content.SLICES:
                raise ValueError("the slice table has no voxels")

    def mask(self) -> NDArray[Any]:
        """The consensus: (K, J, I) values, or (L, K, J, I); it is read once."""
        if self._mask is None:
            stored = self._case.mask
            self._mask = np.zeros(self._shape, np.uint8) if stored is None else np.asarray(stored)
        return self._mask

    def known(self, label: str = "") -> NDArray[np.bool_]:
        """Where it is known whether one label is there, or of every label that could be.

        Of an exclusive label map a voxel is known if every label is known there but the one that it has and those of
        lower values, over which it would have been written, as in the loss mask of the loader.
        """
        if label:
            return self._extent(label) | self._marked(self.mask(), label)
        out = np.ones(self._shape, np.bool_)
        mask = self.mask()
        for name in self._labels:
            is_settled = self._marked(mask, name) if mask.ndim == 4 else mask >= self._values[name]
            out &= self._extent(name) | is_settled
        return out

    def combinations(self) -> frozenset[Labels]:
        """The labels that some voxel has together."""
        return frozenset(_labels_in(int(code), self._labels) for code in np.unique(self._codes()) if code)

    def _image(self, channel: str) -> NDArray[Any]:
        place = self._case.channels.index(channel)
        image: NDArray[Any] = np.asarray(self._case.image[place])
        if self._case.units[place] == "HU" and image.dtype != np.int16:
            # Beside a PET a CT is stored as its type has it; what it was made of are whole numbers.
            whole = image.astype(np.int16)
            return whole if np.array_equal(whole, image) else image
        return image

    def _label_map(self, file: CaseFile) -> NDArray[Any]:
        out = self._valued(file.values)
        if (out == _NO_VALUE).any():
            raise StoreCorrupt(f"case {self._case.id} has a voxel of labels that no value stands for")
        if file.ignore:
            out[~self.known()] = file.ignore
        most = max([file.ignore, *(value for _, value in file.values)])
        return out.astype(np.uint8) if most <= 255 else out

    def _valued(self, values: Sequence[tuple[Labels, int]]) -> NDArray[np.uint16]:
        """The values that stand for the labels of each voxel, `_NO_VALUE` where none does."""
        mask = self.mask()
        if mask.ndim == 4:
            codes = self._codes()
            out = np.where(codes == 0, np.uint16(0), np.uint16(_NO_VALUE))
            for names, value in values:
                out[codes == _code_of(names, self._labels)] = value
            return out
        table = np.full(np.iinfo(np.uint16).max + 1, _NO_VALUE, np.uint16)
        table[[0, *self._values.values()]] = 0
        for names, value in values:
            if len(names) == 1:
                table[self._values[names[0]]] = value
        return np.asarray(table[mask])

    def _codes(self) -> NDArray[Any]:
        """The labels of every voxel as bits, the lowest value first."""
        count = len(self._labels)
        if count > _MOST_LABELS:
            raise StoreCorrupt(f"more than {_MOST_LABELS} labels that may overlap")
        out: NDArray[Any] = np.zeros(self._shape, f"u{max(1, 1 << (-(-count // 8) - 1).bit_length())}")
        for place, name in enumerate(self._labels):
            out[self._marked(self.mask(), name)] |= 1 << place
        return out

    def _extent(self, name: str) -> NDArray[np.bool_]:
        """Where it is known whether a label is there, besides where it is."""
        state = next((s.state for s in self._case.labels if s.label == name), "unknown")
        if state == "partial" and name in self._case.known:
            return np.asarray(self._case.known[name]).astype(np.bool_)
        return np.full(self._shape, state in {"positive", "negative"})

    def _marked(self, mask: NDArray[Any], name: str) -> NDArray[np.bool_]:
        if mask.ndim == 4:
            return np.asarray(mask[list(self._values).index(name)] != 0)
        return np.asarray(mask == self._values[name])


def _plain(array: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return array.astype(np.uint8)


def _labels_in(code: int, labels: Labels) -> Labels:
    return tuple(name for place, name in enumerate(labels) if code >> place & 1)


def _code_of(names: Labels, labels: Labels) -> int:
    return sum(1 << place for place, name in enumerate(labels) if name in names)
