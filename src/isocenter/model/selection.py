"""Selection: which channels of the cohort ask for a stack, and which of several candidates is preferred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from isocenter.base.templates import Template
from isocenter.model.rows import Stack
from isocenter.model.task import Channel


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
    """Whether every condition (attribute name to pattern with * and ?) holds; case does not matter."""
    return all(
        any(fnmatchcase(value.lower(), pattern.lower()) for value in values_of(stack, path, name))
        for name, pattern in conditions.items()
    )


def values_of(stack: Stack, path: str, name: str) -> Sequence[str]:
    """What a condition is held against: a property of the stack, or one of its attributes."""
    known = {
        "format": (stack.format,),
        "modality": (stack.modality,),
        "path": (path,),
        "image_type": stack.image_type,
        "slices": (str(len(stack.files)),),
        "site": (stack.site,),
        "layout_channel": (stack.layout_channel,),
        "axis": (stack.axis,),
        "axis_index": (str(stack.axis_index),),
        "axis_value": ("" if stack.axis_value is None else f"{stack.axis_value:g}",),
    }
    return known.get(name, (stack.attribute(name),))
