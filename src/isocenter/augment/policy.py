"""Policy: which augmentation is wanted, within limits that keep a medical image true."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from isocenter.augment.patch import AXES
from isocenter.base.errors import ConfigError, ConfigProblem
from isocenter.base.plugins import did_you_mean

MAX_ROTATION_DEG = 10.0
MAX_CONTRAST = 0.15
MAX_NOISE_SIGMA = 0.01
NORMAL = "normal"

_FORBIDDEN = {
    "crop": "cropping is forbidden: size and surroundings of a lesion are diagnostic (patches are sampled, not cropped)",
    "scale": "scaling is forbidden: a voxel's size is physical, and so is a lesion's",
    "zoom": "scaling is forbidden: a voxel's size is physical, and so is a lesion's",
    "elastic": "elastic deformation is not offered: it scales locally",
}
_SIDE = re.compile(r"(?:^|[^a-z])(?:left|right|lt|rt|l|r)(?:[^a-z]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is done to a training patch; all of it off unless asked for.

    Raises:
        ConfigError: a value is beyond its limit; every one that is, at once.
    """

    rotation_deg: Annotated[float, "largest angle, up to 10; about the patch's centre in mm"] = 0.0
    rotation_axes: Annotated[
        tuple[str, ...], "axes to turn about, one of them by lot: R, A, S, or normal (of the slices)"
    ] = (NORMAL,)
    mirror: Annotated[
        tuple[str, ...], "anatomical axes to mirror along, each by half of the lots: R, A, S"
    ] = ()
    side_symmetric: Annotated[bool, "declare that the task does not tell the mirrored sides apart"] = False
    swap: Annotated[dict[str, str], "labels that change places when left and right do"] = field(
        default_factory=dict
    )
    contrast: Annotated[
        float, "largest change of contrast, up to 0.15, about the window's centre or mean"
    ] = 0.0
    noise_sigma: Annotated[float, "largest sigma of Gaussian noise, up to 0.01 of the range [0, 1]"] = 0.0

    def __post_init__(self) -> None:
        problems = [*self._beyond_limits(), *self._wrong_axes()]
        if problems:
            raise ConfigError(problems, source="augmentation")

    @property
    def swaps(self) -> dict[str, str]:
        """The labels that change places, in both directions."""
        return self.swap | {b: a for a, b in self.swap.items()}

    def check_labels(self, labels: Iterable[str]) -> None:
        """Refuse to mirror left and right where a label names a side and nothing says what becomes of it.

        Raises:
            ConfigError: a label is not known, or names a side and is not in `swap`.
        """
        known = list(labels)
        problems = [
            ConfigProblem("swap", f"no label {name!r}{did_you_mean(name, known)}")
            for name in sorted(self.swaps)
            if name not in known
        ]
        if "R" in self.mirror:
            problems += [
                ConfigProblem(
                    "swap", f"label {name!r} names a side: say which label it becomes when mirrored"
                )
                for name in known
                if _SIDE.search(name.lower()) and name not in self.swaps
            ]
        if problems:
            raise ConfigError(problems, source="augmentation")

    def _beyond_limits(self) -> list[ConfigProblem]:
        limits = {
            "rotation_deg": (self.rotation_deg, MAX_ROTATION_DEG, "degrees"),
            "contrast": (self.contrast, MAX_CONTRAST, "of the range about its mean"),
            "noise_sigma": (self.noise_sigma, MAX_NOISE_SIGMA, "of the range [0, 1]"),
        }
        return [
            ConfigProblem(name, f"{value:g} is outside the limit of 0 to {most:g} {unit}")
            for name, (value, most, unit) in limits.items()
            if not 0 <= value <= most
        ]

    def _wrong_axes(self) -> list[ConfigProblem]:
        problems = [
            ConfigProblem("mirror", f"{axis!r} is none of the anatomical axes R, A, S")
            for axis in self.mirror
            if axis not in AXES
        ]
        problems += [
            ConfigProblem("rotation_axes", f"{axis!r} is none of R, A, S, {NORMAL}")
            for axis in self.rotation_axes
            if axis not in (*AXES, NORMAL)
        ]
        if self.rotation_deg and not self.rotation_axes:
            problems.append(ConfigProblem("rotation_axes", "a rotation needs an axis"))
        if self.mirror and not self.side_symmetric:
            problems.append(
                ConfigProblem(
                    "mirror", "mirroring is limited to tasks that are declared side_symmetric: true"
                )
            )
        if len(self.swaps) != 2 * len(self.swap):
            problems.append(ConfigProblem("swap", "a label stands in it twice"))
        return problems


def policy_of(values: Policy | Mapping[str, Any]) -> Policy:
    """A policy from a mapping, e.g. of a config.

    Raises:
        ConfigError: a key is not known, is forbidden here on purpose, or its value is beyond the limit.
    """
    if isinstance(values, Policy):
        return values
    known = [f.name for f in fields(Policy)]
    problems = [
        ConfigProblem(key, _why_not(key, known)) for key in sorted(map(str, values)) if key not in known
    ]
    if problems:
        raise ConfigError(problems, source="augmentation")
    options: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return Policy(**options)


def _why_not(key: str, known: list[str]) -> str:
    for stem, reason in _FORBIDDEN.items():
        if stem in key.lower():
            return reason
    return f"is not an option{did_you_mean(key, known)}"
