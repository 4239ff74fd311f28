"""Selection: which channels of the cohort ask for a stack, and which of several candidates is preferred."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from isocenter.base.templates import Template
from isocenter.model.rows import Stack
from isocenter.model.task import Channel
from isocenter.model.weighting import weighting_of

_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)?\.\.(-?\d+(?:\.\d+)?)?")


def is_mask(stack: Stack, path: str, masks: Sequence[str]) -> bool:
    """Whether a layout or a path template declares a file to be a mask: it is no image then."""
    return stack.layout_role == "mask" or (
        stack.format != "dicom" and any(Template(t).match(path) is not None for t in masks)
    )


def wanted_by(stack: Stack, path: str, channels: Mapping[str, Channel]) -> tuple[str, ...]:
    """Names of the channels that ask for a stack; `path` is that of its first file.

    A DICOM stack must have the channel's modality. A file format that has no modality is asked for by a
    channel with a path template, or by the channel of a known layout; never by guessing.
    """
    return tuple(name for name, channel in channels.items() if _is_wanted(stack, path, name, channel))


def _is_wanted(stack: Stack, path: str, name: str, channel: Channel) -> bool:
    is_on_path = any(Template(t).match(path) is not None for t in channel.path)
    if channel.path and not is_on_path:
        return False
    if stack.modality:
        is_kind = stack.modality == channel.modality
    else:
        is_kind = stack.format != "dicom" and (is_on_path or stack.layout_channel == name)
    return is_kind and matches(stack, path, channel.where)


def matches(stack: Stack, path: str, conditions: Mapping[str, str]) -> bool:
    """Whether every condition holds: attribute name to a pattern with * and ?, or to numbers; case does not matter.

    A pattern of two numbers, "60..120", holds for numbers from the one to the other; either may be left out.
    """
    return all(
        any(_holds(value, pattern) for value in values_of(stack, path, name))
        for name, pattern in conditions.items()
    )


def _holds(value: str, pattern: str) -> bool:
    if (ends := _RANGE.fullmatch(pattern.strip())) is None or pattern.strip() == "..":
        return fnmatchcase(value.lower(), pattern.lower())
    try:
        number = float(value)
    except ValueError:
        return False
    return float(ends[1] or "-inf") <= number <= float(ends[2] or "inf")


def values_of(stack: Stack, path: str, name: str) -> Sequence[str]:
    """What a condition is held against: a property of the stack, or one of its attributes."""
    known = PROPERTIES.get(name)
    return known(stack, path) if known else (stack.attribute(name),)


def _text_of(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


# What a condition may name beside the attributes of a stack.
PROPERTIES: dict[str, Callable[[Stack, str], Sequence[str]]] = {
    "format": lambda stack, _: (stack.format,),
    "modality": lambda stack, _: (stack.modality,),
    "path": lambda _, path: (path,),
    "image_type": lambda stack, _: stack.image_type,
    "slices": lambda stack, _: (str(len(stack.files)),),
    "site": lambda stack, _: (stack.site,),
    "layout_channel": lambda stack, _: (stack.layout_channel,),
    "pet_units": lambda stack, _: (stack.pet_units,),
    "weighting": lambda stack, _: (weighting_of(stack),),
    "axis": lambda stack, _: (stack.axis,),
    "axis_index": lambda stack, _: (str(stack.axis_index),),
    "axis_value": lambda stack, _: (_text_of(stack.axis_value),),
}
