"""Asked: which stacks are judged, on whose behalf, and as what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from isocenter.model.modality import is_defined
from isocenter.model.rows import Stack
from isocenter.model.selection import is_mask, wanted_by
from isocenter.model.task import Channel


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a stack.

    A mask is no image: whether it belongs to one is for the enrol stage to find out. A DICOM image whose
    modality is missing, or none that there is ("MRI"), might be what is wanted: it is judged, and rejected for that.
    """

    channels: tuple[str, ...] = ()
    is_mask: bool = False
    is_untold: bool = False

    @property
    def is_judged(self) -> bool:
        """Whether the rules look at it."""
        return bool(self.channels) or self.is_untold


def asked_for(stack: Stack, path: str, channels: Mapping[str, Channel], masks: Sequence[str]) -> Asked:
    """Which channels ask for a stack; `path` is that of its first file, `masks` the templates of masks."""
    if is_mask(stack, path, masks):
        return Asked(is_mask=True)
    wanted = wanted_by(stack, path, channels)
    return Asked(wanted, is_untold=not wanted and stack.format == "dicom" and not is_defined(stack.modality))


def as_wanted(stack: Stack, channels: Mapping[str, Channel], names: tuple[str, ...]) -> Stack:
    """The stack with the modality that a channel takes it for, where its format has none."""
    if stack.modality or not names:
        return stack
    return replace(stack, modality=channels[names[0]].modality)
