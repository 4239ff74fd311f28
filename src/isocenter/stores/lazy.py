"""LazyArray: an array in a shard that is read where it is sliced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from isocenter.base.errors import StoreCorrupt
from isocenter.stores.shard import ArrayFacts, Index, digest_of_array


class LazyArray:
    """Slices like a NumPy array and reads only the chunks that a slice needs; `np.asarray` reads it all.

    Args:
        read: Reads part of the array by an index, into an array or None for a new one, in as many threads; it is
            pickled with the object.
        facts: Shape and type as stored.
        name: The case and the array, for errors.
        is_mask: Stored as 0 and 1, to be given as bool.
        digest: Compared when the whole array is read; "" for no comparison.
    """

    def __init__(
        self,
        read: Callable[[Index, NDArray[Any] | None, int], NDArray[Any]],
        facts: ArrayFacts,
        *,
        name: str,
        is_mask: bool,
        digest: str,
    ) -> None:
        self._read = read
        self._name = name
        self._is_mask = is_mask
        self._digest = digest
        self.shape = facts.shape
        self.dtype = np.dtype(np.bool_) if is_mask else facts.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array when it is read."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Index) -> Any:
        return self.read(index)

    def read(self, index: Index, out: NDArray[Any] | None = None, threads: int = 1) -> NDArray[Any]:
        """Part of the array, decoded straight into `out`.

        Args:
            index: What NumPy takes between square brackets.
            out: Receives the part; a new array where it is None. It has the part's shape and type.
            threads: How many threads decode; more help where one process reads large parts and has processors left.

        Returns:
            The part: `out` where it was given.

        Raises:
            StoreCorrupt: a check sum differs.
        """
        target = out.view(np.uint8) if out is not None and self._is_mask and out.dtype == np.bool_ else out
        array = self._read(index, target, threads)
        if self._digest and array.shape == self.shape and digest_of_array(array) != self._digest:
            raise StoreCorrupt(f"{self._name} is not what was sealed")
        if out is not None:
            return out
        return array.view(np.bool_) if self._is_mask else array

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a stored array cannot be had without reading it")
        whole: NDArray[Any] = self[...]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"<LazyArray {self.shape} {self.dtype}>"
