"""Recent: what was used last, as much of it as fits a bound in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Recent(Generic[K, T]):
    """Holds values by key and lets go of those that were not used for longest; the newest is always held.

    Args:
        most_bytes: Bound of all values together.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[K, tuple[T, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: K) -> T | None:
        """The value of a key, None where it is not held."""
        if key not in self._held:
            return None
        self._held.move_to_end(key)
        return self._held[key][0]

    def put(self, key: K, value: T, size: int) -> None:
        """Hold a value of so many bytes."""
        if key in self._held:
            self._bytes -= self._held.pop(key)[1]
        self._held[key] = (value, size)
        self._bytes += size
        while self._bytes > self._most_bytes and len(self._held) > 1:
            self._bytes -= self._held.popitem(last=False)[1][1]
