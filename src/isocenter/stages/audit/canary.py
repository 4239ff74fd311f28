"""Canary: what leakage is worth on a data set's own images, shown with labels that mean nothing.

Every subject is given a label by the toss of a coin, so nothing can be learned. A nearest neighbour is then asked
for the labels of slices, once with slices dealt out at random and once with whole subjects held back (after
E. Yagis et al., Scientific Reports 11, 2021). Half of the answers must be right by chance; what the first way scores
beyond that is leakage and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.base.seeds import stream

_FOLDS = 5
_MIN_SUBJECTS = 2 * _FOLDS
_MOST_DIRECTIONS = 200
# All slices are compared with all: 300 subjects of 20 slices are 144 MB of products, and as sure as more.
_MOST_SUBJECTS, _MOST_OF_ONE = 300, 20
_FLOOR = 0.01  # of the mean difference between neighbours: what is smaller is noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Share of right answers over some seeds: the mean, its 95 % interval, and each of them."""

    mean: float
    low: float
    high: float
    each: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Random labels, told by the nearest neighbour: slices dealt out at random, and whole subjects held back.

    Where there are a great many, subjects are drawn by lot: `of_subjects` and `of_slices` are how many there were.
    """

    subjects: int
    slices: int
    of_subjects: int
    of_slices: int
    by_slice: Score
    by_subject: Score

    @property
    def summary(self) -> str:
        """What it shows, in one sentence."""
        is_part = (self.subjects, self.slices) != (self.of_subjects, self.of_slices)
        drawn = f" (drawn from {self.of_slices} of {self.of_subjects})" if is_part else ""
        return (
            f"random labels, {self.slices} slices of {self.subjects} subjects{drawn}, {len(self.by_slice.each)} seeds: "
            f"split by slice {_percent(self.by_slice)} right, split by subject {_percent(self.by_subject)}; "
            "50 % is chance, what is above it is leakage"
        )


def sing(vectors: NDArray[np.float32], subjects: Sequence[str], *, seeds: int = 20) -> Canary | None:
    """Let the canary sing; None where there are fewer than ten subjects, or too few slices to deal out.

    Args:
        vectors: (N, D), one row of unit length per slice, those of an image after each other.
        subjects: Whose slice each row is.
        seeds: How many times labels are drawn and slices dealt out.
    """
    names, owner = np.unique(np.asarray(subjects), return_inverse=True)
    if names.size < _MIN_SUBJECTS or owner.size < 2 * names.size:
        return None
    every = (int(names.size), int(owner.size))
    kept = _drawn(owner, names.size)
    names, owner = np.unique(owner[kept], return_inverse=True)
    sharp = _sharpened(vectors[kept], owner)
    likeness = sharp @ sharp.T
    by_slice, by_subject = [], []
    for seed in range(seeds):
        lot = stream(seed, "canary")
        labels = (lot.random(names.size) < 0.5)[owner]
        by_slice.append(_right(likeness, labels, _dealt(lot, owner.size)))
        by_subject.append(_right(likeness, labels, _dealt(lot, names.size)[owner]))
    return Canary(
        subjects=int(names.size),
        slices=int(owner.size),
        of_subjects=every[0],
        of_slices=every[1],
        by_slice=_score(by_slice),
        by_subject=_score(by_subject),
    )


def _drawn(owner: NDArray[np.int64], subjects: int) -> NDArray[np.int64]:
    """Places of the slices that are compared: of some subjects by lot, and of each some that are evenly spaced."""
    lot = stream(0, "canary", "subjects").permutation(subjects)[:_MOST_SUBJECTS]
    order = np.argsort(owner, kind="stable")
    each = np.split(order, np.cumsum(np.bincount(owner, minlength=subjects))[:-1])
    found = [
        own[np.unique(np.linspace(0, len(own) - 1, min(len(own), _MOST_OF_ONE)).round().astype(np.int64))]
        for own in (each[n] for n in lot)
    ]
    return np.sort(np.concatenate(found))


def _sharpened(vectors: NDArray[np.float32], owner: NDArray[np.int64]) -> NDArray[np.float32]:
    """The slices by what neighbours have in common: what differs from slice to slice counts less.

    A network that is trained on the slices of a person learns to look away from it; this is the linear way
    (within-class covariance normalisation: A. O. Hatch et al., Interspeech 2006). No label takes part.
    """
    centred = vectors - vectors.mean(axis=0)
    variance, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    kept = axes[
        :, np.argsort(variance)[::-1][: min(_MOST_DIRECTIONS, vectors.shape[1], max(2, len(owner) // 4))]
    ]
    inside = centred @ kept
    steps = np.diff(inside, axis=0)[owner[1:] == owner[:-1]]
    spread = steps.T @ steps / max(1, len(steps))
    spread += np.eye(len(spread)) * (np.trace(spread) / len(spread) * _FLOOR + 1e-12)
    sharp = inside @ np.linalg.cholesky(np.linalg.inv(spread))
    length = np.linalg.norm(sharp, axis=1, keepdims=True)
    return np.asarray(sharp / np.where(length > 0, length, 1.0), dtype=np.float32)


def _dealt(lot: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Which fifth each of some things is in, by lot."""
    return np.asarray(lot.permutation(count) % _FOLDS)


def _right(likeness: NDArray[np.float32], labels: NDArray[np.bool_], part: NDArray[np.int64]) -> float:
    """Share of slices whose most similar slice of the other parts has their label."""
    right = 0
    for fold in range(_FOLDS):
        test, train = np.flatnonzero(part == fold), np.flatnonzero(part != fold)
        nearest = train[np.argmax(likeness[np.ix_(test, train)], axis=1)]
        right += int((labels[nearest] == labels[test]).sum())
    return right / labels.size


def _score(each: Sequence[float]) -> Score:
    mean = float(np.mean(each))
    half = 1.96 * float(np.std(each, ddof=1)) / math.sqrt(len(each)) if len(each) > 1 else 0.0
    return Score(mean=mean, low=max(0.0, mean - half), high=min(1.0, mean + half), each=tuple(each))


def _percent(score: Score) -> str:
    return f"{100 * score.mean:.1f} % ({100 * score.low:.1f} to {100 * score.high:.1f})"
