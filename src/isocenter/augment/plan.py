"""Plan: one motion and one tone, and how they are done to a patch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.augment import marks, warping
from isocenter.augment.motion import Motion, check_motion
from isocenter.augment.patch import Patch
from isocenter.augment.placement import Triple, flips_of, is_turned, place, reach_of
from isocenter.augment.policy import AUTO
from isocenter.augment.tone import Tone, check_tone
from isocenter.augment.warping import Arrays, Changes

_FIELDS = ("image", "soft", "valid", "mask", "known", "instances")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plan:
    """All that is done to a patch of a shape.

    Args:
        motion: Where its content comes to lie.
        tone: How its values change.
        shape: (K, J, I) of the result.
        steps: float64 (3, 3): mm of a step along i, j, k, as columns.

    Raises:
        ConfigError: it passes a limit.
    """

    motion: Motion
    tone: Tone
    shape: Triple
    steps: NDArray[np.float64]

    def __post_init__(self) -> None:
        flips = np.diag(flips_of(self.motion, self.steps))
        check_motion(self.motion, self.steps @ flips @ np.linalg.inv(self.steps))
        check_tone(self.tone)

    @property
    def reach(self) -> Triple:
        """Voxels (k, j, i) beyond each side that are moved into the patch."""
        return reach_of(self.motion, self.shape, self.steps)

    def apply(self, patch: Patch, margin: Triple = (0, 0, 0)) -> Patch:
        """The patch without its margin, in its new state; the one that is given stays as it is.

        Raises:
            ConfigError: noise is wanted, and the range of a channel is not known.
        """
        if patch.shape != tuple(n + 2 * m for n, m in zip(self.shape, margin, strict=True)):
            raise ValueError(f"a patch of {patch.shape} is none of {self.shape} with a margin of {margin}")
        tones = self._tones(patch)
        check_tone(self.tone, [s for s, tone in zip(patch.span, tones, strict=True) if tone is self.tone])
        way = self._warped if is_turned(self.motion, self.steps) else self._mirrored
        toned = [t.of(b, c) for t, b, c in zip(tones, patch.background, patch.centre, strict=True)]
        zeros = [None if v is None else t.of(v, c) for t, (v, c) in zip(tones, _pairs(patch), strict=True)]
        inner = marks.without_margin(patch, margin)
        moved = replace(
            inner,
            **way(patch, margin),
            background=tuple(toned),
            no_signal=tuple(zeros),
            boxes=marks.moved_boxes(inner, self.motion, self.shape),
            boxes_voxel=marks.moved_voxel_boxes(inner, self.motion, self.shape),
            points=marks.moved_points(inner, self.motion, self.shape),
        )
        return marks.swapped(moved, self.motion.swap)

    def _warped(self, patch: Patch, margin: Triple) -> dict[str, Any]:
        """All arrays by one interpolation: image and shares between eight voxels, all else from the nearest one."""
        del margin  # a placement lies in the middle
        out = {name: _empty_like(getattr(patch, name), self.shape) for name in _FIELDS}
        place_ = place(self.motion, self.shape, patch.shape, self.steps)
        source = _flat({name: getattr(patch, name) for name in _FIELDS})
        if patch.valid.all():
            source = source._replace(valid=source.valid[:0])
        if patch.mask is not None and not patch.mask.any():
            source = source._replace(mask=source.mask[:0])
            out["mask"] = np.zeros((*patch.mask.shape[:-3], *self.shape), patch.mask.dtype)
        warping.warp(source, place_, self._changes(patch), self.shape, _flat(out))
        return out

    def _mirrored(self, patch: Patch, margin: Triple) -> dict[str, Any]:
        """All arrays as they are, or mirrored, with the values of the image changed."""
        flips = flips_of(self.motion, self.steps)[::-1]
        window = tuple(
            slice(m, m + n) if f > 0 else slice(m + n - 1, m - 1 if m else None, -1)
            for m, n, f in zip(margin, self.shape, flips, strict=True)
        )
        is_same = (flips > 0).all() and not any(margin)
        out = {
            n: a if a is None or is_same else np.ascontiguousarray(a[(..., *window)])
            for n, a in ((name, getattr(patch, name)) for name in _FIELDS)
        }
        if not self.tone.is_still():
            out["image"] = np.array(patch.image[(..., *window)], order="C")
            flat = _flat(out)
            warping.change(flat.image, flat.valid, self._changes(patch), self.shape[2])
        return out

    def _tones(self, patch: Patch) -> list[Tone]:
        """What is done to the values of each channel: nothing where it is absent."""
        return [
            self.tone if is_there else Tone() for is_there in patch.present or (True,) * len(patch.centre)
        ]

    def _changes(self, patch: Patch) -> Changes:
        tones, shares = self._tones(patch), 0 if patch.soft is None else len(patch.soft)
        linear = [
            (t.factor, c - t.factor * c if t.factor != 1 else 0.0, t.of(b, c))
            for t, b, c in zip(tones, patch.background, patch.centre, strict=True)
        ]
        return Changes(
            linear=np.array([*linear, *[(1.0, 0.0, 0.0)] * shares], np.float32).reshape(-1, 3),
            noise=np.array(
                [
                    (t.sigma * s if t.sigma else 0.0, 0.0 if v is None else t.of(v, c))
                    for t, s, (v, c) in zip(tones, patch.span, _pairs(patch), strict=True)
                ],
                np.float32,
            ).reshape(-1, 2),
            is_magnitude=np.array(
                [
                    t.sigma > 0 and t.law == AUTO and v is not None
                    for t, (v, _) in zip(tones, _pairs(patch), strict=True)
                ],
                np.bool_,
            ),
            key=np.array([self.tone.key], np.uint64),
        )


def _pairs(patch: Patch) -> list[tuple[float | None, float]]:
    """Of each channel, the value of no signal and the centre of contrast."""
    return list(zip(patch.no_signal or (None,) * len(patch.centre), patch.centre, strict=True))


def _empty_like(array: NDArray[Any] | None, shape: Triple) -> NDArray[Any] | None:
    return None if array is None else np.empty((*array.shape[:-3], *shape), array.dtype)


def _flat(arrays: dict[str, NDArray[Any] | None]) -> Arrays:
    """Flat views of the arrays; truth is seen as bytes."""
    out: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        if array is None:
            out[name] = np.zeros(0, np.float32 if name == "soft" else np.uint8)
        else:
            whole = np.ascontiguousarray(array)
            out[name] = (whole.view(np.uint8) if whole.dtype == np.bool_ else whole).reshape(-1)
    return Arrays(**out)
