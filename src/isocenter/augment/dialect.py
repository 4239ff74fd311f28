"""The promise of a dialect: what the transforms of one framework do, in the terms of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from isocenter.augment.steps import Step, Unread
from isocenter.base.plugins import Plugins

CROP = "cropping: size and surroundings of a lesion are diagnostic (a patch at native scale is no crop)"
SCALE = "scaling: a voxel's size is physical, and so is a lesion's"
SPACING = "random spacing: a voxel's size is physical"
SHEAR = "shearing: it alters shapes that are diagnostic"
MOVED = "moving the image, which cuts off its border"
CUT_OUT = "cut-out: it may take the lesion and leave its label"
LOW_RESOLUTION = "low resolution: what is small is lost, and stays in the labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """An argument of which the contract limits the size.

    Args:
        name: The argument.
        what: A key of `isocenter.augment.lint.LIMITS`.
        default: What the framework takes where it is left out.
        unit: What its number is multiplied by to come to the unit of the limit.
        is_factor: Whether 1 means no change; else 0 does.
        only_with: Argument that switches it on: where that is 0, None or False, nothing is done.
        switch: Whether it is on where `only_with` is left out.
    """

    name: str
    what: str
    default: Any = None
    unit: float = 1.0
    is_factor: bool = False
    only_with: str = ""
    switch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What one transform does.

    Args:
        bounds: Arguments that the contract limits.
        forbidden: Why it is forbidden whatever its arguments say; "" where it is not.
        forbidden_if: Arguments that make it so where they are true, and why.
        outside: What it does that the contract does not speak of; "" where nothing.
        mirrors: Argument that holds the axes it mirrors along; "" where it mirrors nothing.
        order: Its arguments in the order of their positions, as far as they may be given by those.
    """

    bounds: tuple[Bound, ...] = ()
    forbidden: str = ""
    forbidden_if: Mapping[str, str] | None = None
    outside: str = ""
    mirrors: str = ""
    order: tuple[str, ...] = ()

    @property
    def depends(self) -> bool:
        """Whether its arguments decide what it does."""
        return not self.forbidden and bool(self.bounds or self.forbidden_if or self.mirrors)


class Dialect(Protocol):
    """A framework: a module with these names; `modules` are those that its transforms come from.

    Contract:
        * `meaning_of` is asked for every call and every named class of a text, most of which are none of its business.
        * What it does not know it leaves to the others; nothing is run or imported.
    """

    title: str
    modules: tuple[str, ...]

    def meaning_of(self, step: Step) -> Meaning | None:
        """What a step does; None where it is no transform of this framework."""

    def is_unknown(self, step: Step) -> bool:
        """Whether a step is named as transforms of this framework are, though nobody knows it."""


DIALECTS: Plugins[Dialect] = Plugins("isocenter.augment.dialects")


def numbers_in(value: Any) -> Iterator[float]:
    """All numbers in nested ranges.

    Raises:
        LookupError: something in them is not to be read.
    """
    if isinstance(value, Unread):
        raise LookupError(value.text)  # noqa: TRY004 - the type is right, the value is not there
    if isinstance(value, tuple | list):
        for one in value:
            yield from numbers_in(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)
    elif value is not None and value is not False:
        raise LookupError(str(value))


def is_on(value: Any) -> bool:
    """Whether an argument that is a switch or a size does anything; what cannot be read might."""
    try:
        return any(numbers_in(value))
    except LookupError:
        return True
