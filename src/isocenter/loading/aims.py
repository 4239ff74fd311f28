"""Aims: what of a patch is known, and how surely: what a loss may count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.loading.reading import Box, read
from isocenter.loading.sampler import Triple
from isocenter.loading.selection import EVERYWHERE, IN_PART
from isocenter.model.case import SHARE_UNIT


@dataclass(frozen=True, slots=True, eq=False)
class Aims:
    """What a record holds of one patch besides image and mask.

    Args:
        arrays: Arrays of the record.
        numbered: By what they are ("known", "share") and label, their names.
        label_values: Value of each label, in the order of the values.
        box: The patch.
        shape: The volume.
    """

    arrays: Mapping[str, Any]
    numbered: Mapping[str, Mapping[str, str]]
    label_values: Mapping[str, int]
    box: Box
    shape: Triple

    def known(
        self, extents: NDArray[np.int8], mask: NDArray[Any] | None, *, is_by_label: bool
    ) -> NDArray[np.bool_] | None:
        """Where it is known what is there: (K, J, I), or (L, K, J, I) by label; None where that is everywhere.

        Of an exclusive label map a voxel is known if every label is known there that could be in its place: all but
        the one that it has and those of lower values, over which it would have been written.

        Args:
            extents: Where each label is known, as of a selection.
            mask: (K, J, I) label values, or (L, K, J, I); None without one.
            is_by_label: Whether each label gets a plane of its own.
        """
        names = list(self.label_values)
        if is_by_label:
            planes = [self._plane(n, e) | self._marked(mask, n) for n, e in zip(names, extents, strict=True)]
            return np.stack(planes) if planes else np.zeros((0, *self.box.size), np.bool_)
        out = None
        for name, extent in zip(names, extents, strict=True):
            if extent != EVERYWHERE:
                plane = self._plane(name, extent)
                if mask is not None:
                    plane |= mask >= self.label_values[name]
                out = plane if out is None else out & plane
        return out

    def soft(self, mask: NDArray[Any]) -> NDArray[np.float32]:
        """How sure the raters are of each label, (L, K, J, I); 0 or 1 where no shares were kept."""
        out = np.empty((len(self.label_values), *self.box.size), np.float32)
        for n, name in enumerate(self.label_values):
            if name in self.numbered["share"]:
                shares = read(self.arrays[self.numbered["share"][name]], (), 0, self.box, self.shape)
                out[n] = shares / np.float32(SHARE_UNIT)
            else:
                out[n] = self._marked(mask, name)
        return out

    def _plane(self, name: str, extent: int) -> NDArray[np.bool_]:
        """Where one label is known, within the volume."""
        if extent == IN_PART and name in self.numbered["known"]:
            return read(self.arrays[self.numbered["known"][name]], (), False, self.box, self.shape).copy()
        out = np.zeros(self.box.size, np.bool_)
        if extent == EVERYWHERE:
            out[self.box.inside(self.shape)[1]] = True
        return out

    def _marked(self, mask: NDArray[Any] | None, name: str) -> NDArray[np.bool_]:
        if mask is None:
            return np.zeros(self.box.size, np.bool_)
        if mask.ndim == 4:
            return np.asarray(mask[list(self.label_values).index(name)] != 0)
        return np.asarray(mask == self.label_values[name])
