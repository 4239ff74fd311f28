"""Likeness: whether two pictures show the same, after one has been laid over the other as well as can be."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from isocenter.imaging.area import area_mean
from isocenter.imaging.correlation import correlations, unturned_correlations
from isocenter.imaging.descriptor import Descriptor
from isocenter.imaging.overlay import Fit, fit

# Pixels along the longest axis of the coarsest level: a crop of a fifth moves what is left by no more than one.
_COARSEST = 8
# Fewer pixels than this along an axis say nothing about a shift.
_FEWEST = 5
# Contrast is measured over this many pixels; what varies less than this share of the greys is flat.
_BLUR, _REACH, _FLAT = 0.6, 2.0, 0.03
# Fields of view are the same up to this (natural logarithm).
_SAME_FIELD = 0.02
# Without millimetres any two people are of one size: more is asked of a likeness then.
_BY_FIELD = 0.88
# How many of all starts are followed on the coarsest level, on the next, and on the finest; the correlation below
# which no start is followed (that of 576 copies of real images was 0.75 or more), and no overlay any further.
_STARTED, _REFINED, _TRIED = 6, 4, 2
_ROUNDS = (8, 10, 5)
_UNPROMISING, _HOPELESS = 0.6, 0.7
# What is asked of an overlay: the smaller field lies in the larger, which is not too large (0.8 along each of three
# axes leaves 0.51), turned and scaled no more than images are that show the same.
_INSIDE, _COVERED, _LARGEST_TURN, _LARGEST_SCALE = 0.78, 0.40, 15.0, 1.45


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """A picture as contrasts at three levels, each a float32 array, from coarse to fine; made when first asked for."""

    descriptor: Descriptor
    made: dict[int, NDArray[np.float32]]

    def level(self, number: int) -> NDArray[np.float32]:
        """Contrasts of one level: (K, J, I), about 0 on average, about 1 in size wherever there is anything to see."""
        if number not in self.made:
            self.made[number] = contrasts(self.descriptor.picture, number)
        return self.made[number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How alike two pictures are.

    Args:
        score: Correlation of their contrasts where they overlap; 1 is equal.
        coarse: The same at half the resolution, which noise hardly touches.
        is_mirrored: Whether one had to be mirrored.
        covered: Which share of the larger field the smaller one covers.
    """

    score: float
    coarse: float
    is_mirrored: bool
    covered: float


NOTHING = Likeness(score=0.0, coarse=0.0, is_mirrored=False, covered=0.0)


def layers_of(descriptor: Descriptor) -> Layers:
    """What `likeness` compares."""
    return Layers(descriptor, {})


def contrasts(picture: NDArray[np.uint8], level: int) -> NDArray[np.float32]:
    """How far each pixel is from its surroundings, in the standard deviations of these, on level 0, 1 or 2."""
    grey = picture / np.float32(255)
    factor = (max(picture.shape) / _COARSEST) ** (1 - level / 2)
    if factor > 1:
        grey = area_mean(grey, tuple(max(min(n, _FEWEST), round(n / factor)) for n in grey.shape)).astype(
            np.float32
        )
    blur, reach = ([s if n > 1 else 0.0 for n in grey.shape] for s in (_BLUR, _REACH))
    grey = ndimage.gaussian_filter(grey, blur, mode="nearest")
    apart = grey - ndimage.gaussian_filter(grey, reach, mode="nearest")
    variance = ndimage.gaussian_filter(apart * apart, reach, mode="nearest")
    return np.ascontiguousarray(apart / np.sqrt(variance + np.float32(_FLAT) ** 2), np.float32)


def likeness(a: Layers, b: Layers) -> Likeness:
    """Lay two pictures over each other, mirrored and turned a little where that is better, and compare them.

    Two starts are made: with the millimetres of both, and as if both fields of view were the same, as spacings get
    lost. The first keeps sizes; the second must fit better, and may stretch the axes of a plane.
    """
    one, other = a.descriptor, b.descriptor
    if one.is_blank or other.is_blank or (one.picture.shape[0] == 1) != (other.picture.shape[0] == 1):
        return NOTHING
    starts = starts_of(a, b)
    if max(f.score for f in starts) < _UNPROMISING:
        return NOTHING
    coarse = [fit(a.level(0), b.level(0), s, rounds=_ROUNDS[0]) for s in starts]
    if max(f.score for f in coarse) < _HOPELESS:
        return NOTHING
    carried = [_carried(a, b, f, 1) for f in _best(coarse, _REFINED)]
    middle = [fit(a.level(1), b.level(1), f, rounds=_ROUNDS[1]) for f in carried if f.score > _HOPELESS]
    hopeful = [f for f in _best(middle, _TRIED) if f.score > _HOPELESS and _covered(a, b, f, 1)]
    best = NOTHING
    for found in hopeful:
        fine = fit(a.level(2), b.level(2), _carried(a, b, found, 2), rounds=_ROUNDS[2])
        covered = _covered(a, b, fine, 2)
        is_sure = not fine.is_by_field or fine.score >= _BY_FIELD
        if covered and is_sure and fine.score > best.score:
            best = Likeness(
                score=fine.score, coarse=found.score, is_mirrored=fine.is_mirrored, covered=covered
            )
    return best


def _best(fits: list[Fit], most: int) -> list[Fit]:
    """The best by millimetres, and half as many by fields of view, so that neither crowds the other out."""
    ranked = sorted(fits, key=lambda f: -f.score)
    by_field = [f for f in ranked if f.is_by_field]
    return [f for f in ranked if not f.is_by_field][:most] + by_field[: (most + 1) // 2]


def starts_of(a: Layers, b: Layers) -> list[Fit]:
    """The most promising overlays of the coarsest level, none of which has been fitted yet."""
    first, second = a.level(0), b.level(0)
    extents = np.array(a.descriptor.extent_mm), np.array(b.descriptor.extent_mm)
    shapes = np.array(first.shape), np.array(second.shape)
    ratio = extents[0] / extents[1]
    is_other = np.abs(np.log(ratio)) > _SAME_FIELD
    out = _of_one_way(first, second, (extents[0] / shapes[0], extents[1] / shapes[1]), ratio, is_other)
    if is_other.any():  # spacings may be lost; in one plane a cut may have been blown up as well
        found = _of_one_way(first, second, (1.0 / shapes[0], 1.0 / shapes[1]), np.ones(3), is_other)
        out += [replace(f, is_by_field=True, may_stretch=first.shape[0] == 1) for f in found]
    return _best(out, _STARTED)


def _of_one_way(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    steps: tuple[NDArray[np.float64], NDArray[np.float64]],
    scale: NDArray[np.float64],
    is_other: NDArray[np.bool_],
) -> list[Fit]:
    """The best of every mirroring and of every end that may have been cut off; sizes are told by `steps`."""
    shapes = np.array(first.shape), np.array(second.shape)
    # what was cut off was cut off at both ends, or at either one
    gaps = (1 - scale) * (shapes[1] - 1) / 2
    sides = [(1, -1) if n > 1 else (1,) for n in first.shape]
    ends = [(0, -1, 1) if o and g else (0,) for o, g in zip(is_other, gaps, strict=True)]
    both = list(itertools.product(itertools.product(*sides), itertools.product(*ends)))
    flips, shifts = np.array([f for f, _ in both]), np.array([e for _, e in both])
    scales = flips * scale * shapes[1] / shapes[0]
    offsets = (shapes[1] - 1) / 2 + shifts * gaps
    scores = unturned_correlations(first, second, scales, offsets)
    return [
        Fit(
            matrix=np.diag(scales[n]),
            offset=offsets[n],
            steps=steps,
            may_stretch=False,
            is_mirrored=bool(flips[n].min() < 0),
            score=float(scores[n]),
        )
        for n in np.argsort(-scores, kind="stable")[:_STARTED]
    ]


def _carried(a: Layers, b: Layers, found: Fit, number: int) -> Fit:
    """The same overlay on a finer level, as alike as it is there."""
    grow_a, grow_b = (
        np.array(layers.level(number).shape) / np.array(layers.level(number - 1).shape) for layers in (a, b)
    )
    matrix, offset = grow_b[:, None] * found.matrix / grow_a, (found.offset + 0.5) * grow_b - 0.5
    score = correlations(a.level(number), b.level(number), matrix[None], offset[None])[0]
    steps = found.steps[0] / grow_a, found.steps[1] / grow_b
    return replace(found, matrix=matrix, offset=offset, steps=steps, score=float(score))


def _covered(a: Layers, b: Layers, found: Fit, number: int) -> float:
    """Which share of the larger field the smaller covers; 0 where the overlay is none that copies have."""
    size_a, size_b = a.level(number).size, b.level(number).size
    share_a = found.count / size_a
    share_b = found.count * abs(float(np.linalg.det(found.matrix))) / size_b
    linear = found.steps[1][:, None] * found.matrix / found.steps[0]
    scales = np.linalg.norm(linear, axis=0)
    turn = math.degrees(math.acos(min(1.0, float(np.min(np.abs(np.diag(linear)) / scales)))))
    stretch = float(np.abs(np.log(scales)).max())
    is_sound = (
        max(share_a, share_b) >= _INSIDE and turn <= _LARGEST_TURN and stretch <= math.log(_LARGEST_SCALE)
    )
    covered = min(share_a, share_b)
    return min(1.0, covered) if is_sound and covered >= _COVERED else 0.0
