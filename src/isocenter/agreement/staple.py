"""STAPLE on patterns of votes: the cost of an iteration does not grow with the volume.

S. K. Warfield et al., IEEE Trans. Med. Imaging 23, 2004, for marked and not marked. What it finds depends on how much
background it is shown, so that it looks at the box around everything that any rater marked and so many voxels more on
each side. Those voxels are counted also where they lie outside the image: how far an image is padded changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from isocenter.agreement.boxes_of_masks import box_of
from isocenter.base.errors import ConfigError
from isocenter.model.annotation import Performance

MARGIN = 5
MOST_RATERS = 64

_START = 0.99999
_MOST_ITERATIONS = 10_000
_CONVERGED = 1e-9
_EVEN = 1e-6
_LEAST = 1e-12  # nobody is taken to be without fault, so that no vote is impossible

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """What STAPLE found: the mask (K, J, I), and how good it takes the raters to be."""

    mask: NDArray[np.bool_]
    performances: tuple[Performance, ...]
    is_inverted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Of every pattern the probability that it is inside, and of every rater sensitivity and specificity."""

    shares: Floats
    sensitivity: Floats
    specificity: Floats


def estimate(masks: Mapping[str, NDArray[np.bool_]], *, tie_is_foreground: bool) -> Estimate:
    """Estimate a mask from the masks (K, J, I) of up to 64 raters.

    Where all raters agree on a voxel, so does the mask. If the raters are found to be worse than chance, inside and
    outside have been taken for each other: the mask is then that of a majority, and the estimate says so.

    Raises:
        ConfigError: more raters than that.
    """
    if len(masks) > MOST_RATERS:
        raise ConfigError(f"staple takes at most {MOST_RATERS} raters, not {len(masks)}")
    each = [np.ascontiguousarray(mask, dtype=np.bool_) for mask in masks.values()]
    out = np.zeros(each[0].shape, dtype=np.bool_)
    box = box_of(each)
    if box is None:
        return Estimate(out, ())
    codes, numbers, patterns, counts = _patterns([mask[box] for mask in each])
    outside = _margin(each[0].shape, box)
    found = expectation_maximisation(patterns, counts, outside)
    is_inverted = bool((found.sensitivity + found.specificity).mean() < 1)
    shares = patterns.mean(axis=1) if is_inverted else found.shares
    is_even = np.abs(shares - 0.5) <= _EVEN
    is_inside = np.where(is_even, tie_is_foreground, shares > 0.5)
    is_inside = (is_inside | patterns.all(axis=1)) & patterns.any(axis=1)
    _decide(codes, numbers, is_inside, out[box])
    rated = zip(masks, found.sensitivity.tolist(), found.specificity.tolist(), strict=True)
    performances = (
        ()
        if is_inverted
        else tuple(Performance(label="", rater=rater, sensitivity=p, specificity=q) for rater, p, q in rated)
    )
    return Estimate(out, performances, is_inverted)


def expectation_maximisation(patterns: NDArray[np.bool_], counts: Floats, outside: int) -> Found:
    """Iterate until nothing changes any more.

    Sums are taken of sorted numbers, so that the order of raters and patterns does not matter.

    Args:
        patterns: Ways in which raters voted (P, R), no two alike.
        counts: Voxels of each, (P,).
        outside: Voxels besides that nobody marked.
    """
    count = len(patterns)
    if patterns.any(axis=1).all():
        patterns = np.concatenate((patterns, np.zeros((1, patterns.shape[1]), np.bool_)))
        counts = np.append(counts, 0.0)
    counts = counts + np.where(patterns.any(axis=1), 0.0, float(outside))
    prior = _sum((counts[:, None] * patterns).sum(axis=0)) / (counts.sum() * patterns.shape[1])
    prior = min(max(prior, _LEAST), 1 - _LEAST)
    p = np.full(patterns.shape[1], _START)
    q = p.copy()
    shares = np.zeros(len(counts))
    for _ in range(_MOST_ITERATIONS):
        inside = np.log(prior) + _rows(np.log(np.where(patterns, p, 1 - p)))
        other = np.log(1 - prior) + _rows(np.log(np.where(patterns, 1 - q, q)))
        shares = expit(inside - other)
        in_all, out_all = _sum(counts * shares), _sum(counts * (1 - shares))
        marked = _columns(np.where(patterns, (counts * shares)[:, None], 0.0))
        left_out = _columns(np.where(patterns, 0.0, (counts * (1 - shares))[:, None]))
        new_p = np.clip(marked / max(in_all, _LEAST), _LEAST, 1 - _LEAST)
        new_q = np.clip(left_out / max(out_all, _LEAST), _LEAST, 1 - _LEAST)
        step = max(float(np.abs(new_p - p).max()), float(np.abs(new_q - q).max()))
        p, q = new_p, new_q
        if step < _CONVERGED:
            break
    return Found(shares[:count], p, q)


def _patterns(
    masks: list[NDArray[np.bool_]],
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.bool_], Floats]:
    """Code of every voxel, number of the pattern of each code, the patterns (P, R), and how often each occurs."""
    bits = next(n for n in (8, 16, 32, 64) if len(masks) <= n)
    codes = np.zeros(masks[0].shape, dtype=f"uint{bits}")
    for n, mask in enumerate(masks):
        _add_vote(mask, codes.dtype.type(1 << n), codes)
    if bits <= 16:
        counts = np.zeros(1 << len(masks), dtype=np.int64)
        _count_codes(codes.reshape(-1), counts)
        found = np.flatnonzero(counts)
        numbers = np.zeros(len(counts), dtype=np.int64)
        numbers[found] = np.arange(len(found))
        voxels = counts[found]
    else:  # as many codes as may be are too many for a table; the numbers of those there are take their place
        found, places, voxels = np.unique(codes, return_inverse=True, return_counts=True)
        codes, numbers = places.reshape(codes.shape), np.arange(len(found))
    shifts = np.arange(len(masks), dtype=np.uint64)
    patterns = (found.astype(np.uint64)[:, None] >> shifts & np.uint64(1)).astype(np.bool_)
    return codes, numbers, patterns, voxels.astype(np.float64)


def _margin(shape: tuple[int, ...], box: tuple[slice, ...]) -> int:
    """Voxels around a box; across a single plane there are none."""
    inner = [s.stop - s.start for s in box]
    outer = [n if size == 1 else n + 2 * MARGIN for n, size in zip(inner, shape, strict=True)]
    return int(np.prod(outer)) - int(np.prod(inner))


def _sum(values: Floats) -> float:
    return float(np.sort(values).sum())


def _columns(values: Floats) -> Floats:
    return np.asarray(np.sort(values, axis=0).sum(axis=0))


def _rows(values: Floats) -> Floats:
    return np.asarray(np.sort(values, axis=1).sum(axis=1))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_vote(mask: NDArray[np.bool_], bit: Any, codes: NDArray[Any]) -> None:
    for k in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            votes, line = mask[k, j], codes[k, j]
            for i in range(line.size):
                line[i] |= bit * votes[i]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count_codes(codes: NDArray[Any], counts: NDArray[np.int64]) -> None:
    """Runs of one pattern are counted at once: a voxel mostly was voted on as the one before it."""
    run, last = 0, codes[0]
    for n in range(codes.size):
        if codes[n] == last:
            run += 1
        else:
            counts[last] += run
            run, last = 1, codes[n]
    counts[last] += run


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _decide(
    codes: NDArray[Any], numbers: NDArray[np.int64], is_inside: NDArray[np.bool_], out: NDArray[np.bool_]
) -> None:
    inside = is_inside[numbers]
    for k in range(codes.shape[0]):
        for j in range(codes.shape[1]):
            line, votes = out[k, j], codes[k, j]
            for i in range(line.size):
                line[i] = inside[votes[i]]
