"""Order: which sample comes at which place of an epoch, so that any place can be asked for alone.

A large epoch is never written down as a list. Places are permuted by a Feistel network over the next even number of
bits, and what falls outside is sent through again (J. Black, P. Rogaway, "Ciphers with arbitrary finite domains",
CT-RSA 2002): a worker, a rank of many, or a run that goes on in the middle works out its own part in no memory.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.base import seeds
from isocenter.base.errors import ConfigError

_LEAST_CIPHERED = 1 << 16
_ROUNDS = 8
_BLOCK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of an epoch that one of several training processes (DDP ranks) sees, from some place on.

    Ranks take places in turn, so that a step of all ranks sees what one process with their batches together would:
    whatever the number of ranks, all of them together see every sample once.

    Args:
        rank: Which of them, from 0.
        world: How many there are.
        skip: How many samples all of them together have seen of the epoch before: where to go on.
        is_even: Whether the last few samples are left out, so that every rank has the same number.

    Raises:
        ConfigError: there is no such rank.
    """

    rank: int = 0
    world: int = 1
    skip: int = 0
    is_even: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise ConfigError(f"rank {self.rank} of {self.world}: ranks count from 0")
        if self.skip < 0:
            raise ConfigError(f"skip counts samples seen before, not {self.skip}")

    def places(self, count: int) -> range:
        """Its places in an epoch of so many samples."""
        left = max(count - self.skip, 0)
        end = self.skip + (left - left % self.world if self.is_even else left)
        return range(self.skip + self.rank, end, self.world)


def walk(places: range, count: int, seed: int, epoch: int, *, is_shuffled: bool) -> Iterator[int]:
    """The samples at some places of an epoch, one after the other."""
    for start in range(0, len(places), _BLOCK):
        block = np.array(places[start : start + _BLOCK], np.int64)
        yield from (permuted(block, count, seed, epoch) if is_shuffled else block).tolist()


def permuted(places: NDArray[np.int64], count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The samples at some places of a shuffled epoch of `count`; each sample is at one place."""
    if count < _LEAST_CIPHERED:
        return _listed(count, seed, epoch)[places]
    half = (int(count - 1).bit_length() + 1) // 2
    keys = seeds.stream(seed, "order", epoch, count).integers(0, 1 << 63, _ROUNDS, dtype=np.uint64)
    out = _ciphered(places.astype(np.uint64), half, keys)
    while len(outside := np.flatnonzero(out >= count)):
        out[outside] = _ciphered(out[outside], half, keys)
    return out.astype(np.int64)


@functools.lru_cache(maxsize=2)
def _listed(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return seeds.stream(seed, "order", epoch, count).permutation(count)


def _ciphered(values: NDArray[np.uint64], half: int, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A permutation of all numbers of 2 x `half` bits."""
    mask, shift = np.uint64((1 << half) - 1), np.uint64(half)
    left, right = values >> shift, values & mask
    for key in keys:
        left, right = right, left ^ (_mixed(right ^ key) & mask)
    return (left << shift) | right


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of the result depends on every bit (the finaliser of MurmurHash3, A. Appleby)."""
    out = values ^ (values >> np.uint64(33))
    out = out * np.uint64(0xFF51AFD7ED558CCD)
    out = out ^ (out >> np.uint64(33))
    out = out * np.uint64(0xC4CEB9FE1A85EC53)
    return np.asarray(out ^ (out >> np.uint64(33)), np.uint64)
