"""Policy: which augmentation is wanted, within limits that keep a medical image true."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

import numpy as np

from isocenter.augment.patch import AXES
from isocenter.augment.sides import is_one_sided, names_side
from isocenter.base.errors import ConfigError, ConfigProblem
from isocenter.base.plugins import did_you_mean

MAX_ROTATION_DEG = 10.0
MAX_CONTRAST = 0.15
MAX_NOISE_SIGMA = 0.01
MAX_ELASTIC_MM = 8.0
MIN_ELASTIC_CELL_MM = 20.0
MAX_ELASTIC_VOLUME = 0.2
NORMAL = "normal"
AUTO = "auto"
LAWS = (AUTO, "gaussian")

_ZOOM = "scaling is forbidden: a voxel's size is physical, and so is a lesion's"
_FORBIDDEN = {
    "crop": "cropping is forbidden: size and surroundings of a lesion are diagnostic (patches are sampled, not cropped)",
    "zoom": _ZOOM,
    "scal": _ZOOM,
    "resiz": _ZOOM,
    "spacing": "random spacing is forbidden: a voxel's size is physical (resample all cases to one spacing instead)",
    "anisotropy": "random spacing is forbidden: a voxel's size is physical (resample all cases to one spacing instead)",
    "shear": "shearing is forbidden: it alters shapes that are diagnostic",
    "affine": "affine transforms are forbidden, as they scale and shear: use rotation_deg",
    "cutout": "cut-out is forbidden: it may take the lesion and leave its label",
    "cut_out": "cut-out is forbidden: it may take the lesion and leave its label",
    "dropout": "cut-out is forbidden: it may take the lesion and leave its label",
    "erasing": "cut-out is forbidden: it may take the lesion and leave its label",
    "low_res": "low resolution is forbidden: what is small is lost, and stays in the labels",
    "lowres": "low resolution is forbidden: what is small is lost, and stays in the labels",
    "downsampl": "low resolution is forbidden: what is small is lost, and stays in the labels",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is done to a training patch; all of it off unless asked for.

    Raises:
        ConfigError: a value is of a wrong type or beyond its limit; every one that is, at once.
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
    noise_sigma: Annotated[float, "largest sigma of noise, up to 0.01 of the range [0, 1]"] = 0.0
    noise_law: Annotated[
        str,
        "auto: Rician in channels of MR, which are magnitudes, else Gaussian; gaussian: in all, for maps with signs",
    ] = AUTO
    elastic_mm: Annotated[float, "largest displacement of an elastic field, up to 8 mm"] = 0.0
    elastic_cell_mm: Annotated[float, "distance of the field's control points, at least 20 mm"] = 48.0
    elastic_volume: Annotated[
        float, "largest local change of volume by the field, up to 0.2; beyond it the field is scaled back"
    ] = 0.1
    elastic_in_plane: Annotated[bool, "displace within the slices only"] = False

    def __post_init__(self) -> None:
        wrong = {
            name: f"{expected} is expected, not {getattr(self, name)!r}"
            for name, (expected, is_right) in _TYPES.items()
            if not is_right(getattr(self, name))
        }
        problems = [ConfigProblem(name, message) for name, message in wrong.items()]
        problems += self._problems_without(wrong) if wrong else [*self._beyond_limits(), *self._wrong_words()]
        if problems:
            raise ConfigError(problems, source="augmentation")
        for name in _TYPES:
            object.__setattr__(self, name, _plain(getattr(self, name)))

    @property
    def swaps(self) -> dict[str, str]:
        """The labels that change places, in both directions."""
        return self.swap | {b: a for a, b in self.swap.items()}

    def check_labels(self, labels: Iterable[str]) -> None:
        """Refuse to mirror left and right where a label has a side and nothing says what becomes of it.

        Raises:
            ConfigError: a label is not known, or names a side, or an organ of one side, and is not in `swap`.
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
                if names_side(name) and name not in self.swaps
            ]
            problems += [
                ConfigProblem(
                    "swap",
                    f"label {name!r} is an organ of one side, which mirrored is not that of most people: leave out R,"
                    f" or state that it may stay {name!r} by swap: {{{name}: {name}}}",
                )
                for name in known
                if is_one_sided(name) and name not in self.swaps
            ]
        if problems:
            raise ConfigError(problems, source="augmentation")

    def _problems_without(self, wrong: Iterable[str]) -> list[ConfigProblem]:
        """What else there is to tell beside fields of a wrong type, and is no consequence of them."""
        left_out = {*wrong, "swap"} if "mirror" in wrong else {*wrong}
        sound = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in left_out}
        try:
            Policy(**({"side_symmetric": True} | sound))
        except ConfigError as error:
            return list(error.problems)
        return []

    def _beyond_limits(self) -> list[ConfigProblem]:
        limits = {
            "rotation_deg": (self.rotation_deg, MAX_ROTATION_DEG, "degrees"),
            "contrast": (self.contrast, MAX_CONTRAST, "of the range about its mean"),
            "noise_sigma": (self.noise_sigma, MAX_NOISE_SIGMA, "of the range [0, 1]"),
            "elastic_mm": (self.elastic_mm, MAX_ELASTIC_MM, "mm"),
            "elastic_volume": (self.elastic_volume, MAX_ELASTIC_VOLUME, "of a volume"),
        }
        problems = [
            ConfigProblem(name, f"{value:g} is outside the limit of 0 to {most:g} {unit}")
            for name, (value, most, unit) in limits.items()
            if not 0 <= value <= most
        ]
        if not MIN_ELASTIC_CELL_MM <= self.elastic_cell_mm < math.inf:
            problems.append(
                ConfigProblem(
                    "elastic_cell_mm",
                    f"{self.elastic_cell_mm:g} is outside the limit of at least {MIN_ELASTIC_CELL_MM:g} mm",
                )
            )
        if self.elastic_mm > 0 and self.elastic_volume == 0:
            problems.append(
                ConfigProblem(
                    "elastic_volume", "a field without any change of volume is none: give it a share"
                )
            )
        return problems

    def _wrong_words(self) -> list[ConfigProblem]:
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
        if self.noise_law not in LAWS:
            problems.append(ConfigProblem("noise_law", f"{self.noise_law!r} is none of {', '.join(LAWS)}"))
        if self.rotation_deg and not self.rotation_axes:
            problems.append(ConfigProblem("rotation_axes", "a rotation needs an axis"))
        if self.mirror and not self.side_symmetric:
            problems.append(
                ConfigProblem(
                    "mirror", "mirroring is limited to tasks that are declared side_symmetric: true"
                )
            )
        if len(set(self.mirror)) != len(self.mirror):
            problems.append(ConfigProblem("mirror", "an axis stands in it twice"))
        if self.swap and "R" not in self.mirror:
            problems.append(
                ConfigProblem(
                    "swap", "labels change places when left and right do, and mirror has no R: leave it out"
                )
            )
        moved = [name for pair in self.swap.items() for name in dict.fromkeys(pair)]
        if len(set(moved)) != len(moved):
            problems.append(ConfigProblem("swap", "a label stands in it twice"))
        return problems


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _are_words(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(word, str) for word in value)


def _are_pairs(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(word, str) for word in (*value, *value.values()))


def _plain(value: Any) -> Any:
    """A value as Python's own, so that what is drawn from it can be written down."""
    if isinstance(value, np.generic):
        return value.item()
    return tuple(value) if isinstance(value, list) else value


_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(
        ("rotation_deg", "contrast", "noise_sigma", "elastic_mm", "elastic_cell_mm", "elastic_volume"),
        ("a number", _is_number),
    ),
    **dict.fromkeys(("side_symmetric", "elastic_in_plane"), ("true or false", _is_truth)),
    **dict.fromkeys(("rotation_axes", "mirror"), ("a list of axes", _are_words)),
    "noise_law": ("a word", lambda value: isinstance(value, str)),
    "swap": ("a mapping of labels to labels", _are_pairs),
}


def policy_of(values: Policy | Mapping[str, Any]) -> Policy:
    """A policy from a mapping, e.g. of a config.

    Raises:
        ConfigError: a key is not known, is forbidden here on purpose, or its value is of a wrong type or beyond the limit.
    """
    if isinstance(values, Policy):
        return values
    if not isinstance(values, Mapping):
        raise ConfigError(f"augmentation: a mapping of options is expected, not {values!r}")
    known = [f.name for f in fields(Policy)]
    problems = [
        ConfigProblem(key, _why_not(key, known)) for key in sorted(map(str, values)) if key not in known
    ]
    if problems:
        raise ConfigError(problems, source="augmentation")
    return Policy(**values)


def _why_not(key: str, known: list[str]) -> str:
    for stem, reason in _FORBIDDEN.items():
        if stem in key.lower():
            return reason
    return f"is not an option{did_you_mean(key, known)}"
