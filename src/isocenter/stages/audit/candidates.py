"""Candidates: for every image those whose descriptors point in its direction, found block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from isocenter.imaging.descriptor import Descriptor
from isocenter.imaging.spectrum import PARTS, SHIFT

# Products of one block: 512 rows of 100,000 single-precision numbers are 200 MB.
_ROWS = 512
# What all images of a data set have in common says nothing; fewer than this do not show what that is.
_ENOUGH = 20
# Below this product nothing was a copy in any proof; of few images all pairs are looked at.
_LEAST = 0.2
_FEW = 100
# Of a great many images only the most alike pairs are looked at: each costs some 5 ms.
_MOST = 200_000
# Octaves are divided in three; two images must have this many parts in common to be compared by them.
_SHARED = 4
# Planes are compared quickly, and tell less of themselves: so many times as many are.
_FOR_PLANES = 3
# Directions of a plane, of forty to a quarter of a turn, that are taken together.
_TURNED = 5


def candidates(descriptors: Sequence[Descriptor], nearest: int) -> tuple[NDArray[np.int64], int]:
    """Pairs (N, 2) of places that are worth a second look, the lower place first, in order, and how many were dropped.

    Args:
        descriptors: All images; blank ones are in no pair.
        nearest: How many others of each image are looked at; all of them where there are few.
    """
    found = [
        _of_one_kind(
            descriptors, np.array(places, np.int64), nearest * (_FOR_PLANES if is_flat else 1), is_flat
        )
        for is_flat, places in _kinds(descriptors)
        if len(places) > 1
    ]
    if not found:
        return np.empty((0, 2), np.int64), 0
    pairs, alike = (np.concatenate(column) for column in zip(*found, strict=True))
    pairs, first = np.unique(np.sort(pairs, axis=1), axis=0, return_index=True)
    best = np.argsort(-alike[first], kind="stable")[:_MOST]
    return np.asarray(pairs[np.sort(best)]), len(pairs) - len(best)


def _kinds(descriptors: Sequence[Descriptor]) -> Iterator[tuple[bool, list[int]]]:
    """Planes and volumes apart: one cannot be a copy of the other."""
    for is_flat in (False, True):
        places = [
            n for n, d in enumerate(descriptors) if (d.picture.shape[0] == 1) is is_flat and not d.is_blank
        ]
        yield is_flat, places


def _of_one_kind(
    descriptors: Sequence[Descriptor], places: NDArray[np.int64], nearest: int, is_flat: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Pairs of places, and how alike the two are."""
    count = len(places)
    if count <= max(_FEW, nearest + 1):
        first, second = np.triu_indices(count, 1)
        return np.stack([places[first], places[second]], axis=1), np.ones(len(first), np.float32)
    vectors = np.stack([descriptors[n].vector for n in places])
    local, whole = (_apart(p) for p in np.split(vectors, [PARTS[0]], axis=1))
    bands = np.stack(
        [np.abs(local[:, n : n + SHIFT]).max(axis=1) > 0 for n in range(0, PARTS[0], SHIFT)], axis=1
    )
    energy = np.stack(
        [np.sum(local[:, n : n + SHIFT] ** 2, axis=1) for n in range(0, PARTS[0], SHIFT)], axis=1
    )
    if is_flat:  # the directions of a plane lie so close that a small turn would leave them all behind
        rings = local.reshape(count, -1, SHIFT)
        local = ndimage.uniform_filter1d(rings, _TURNED, axis=2, mode="reflect").reshape(local.shape)
    whole = _unit(whole)
    # in a plane a cut may have been blown up to the old size: longer waves then stand in the next place
    turns = (0, 1, -1) if is_flat else (0,)
    out, likes = [], []
    for start in range(0, count, _ROWS):
        rows = slice(start, min(start + _ROWS, count))
        alike = whole[rows] @ whole.T
        for turn in turns:
            # by the waves that both have: a crop has none as long as those of the whole
            band = np.roll(bands[rows], turn, axis=1).astype(np.float32)
            size = (np.roll(energy[rows], turn, axis=1) @ bands.T.astype(np.float32)) * (band @ energy.T)
            shared = (band @ bands.T.astype(np.float32)) >= _SHARED
            product = np.roll(local[rows], turn * SHIFT, axis=1) @ local.T
            np.maximum(alike, np.where(shared, product / np.sqrt(np.maximum(size, 1e-12)), -1), out=alike)
        own = np.arange(rows.start, rows.stop)
        alike[own - start, own] = -1
        top = np.argpartition(alike, -nearest, axis=1)[:, -nearest:]
        values = np.take_along_axis(alike, top, axis=1)
        row, place = np.nonzero(values >= _LEAST)
        likes.append(values[row, place])
        out.append(np.stack([places[own[row]], places[top[row, place]]], axis=1))
    return np.concatenate(out), np.concatenate(likes)


def _apart(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """What sets images apart: vectors less their mean, where there are enough; what is not there stays zero."""
    if len(vectors) < _ENOUGH:
        return vectors
    is_there = vectors != 0
    mean = vectors.sum(axis=0, dtype=np.float64) / np.maximum(is_there.sum(axis=0), 1)
    return np.where(is_there, vectors - mean.astype(np.float32), np.float32(0))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.maximum(lengths, 1e-12), np.float32)
