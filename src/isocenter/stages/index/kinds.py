"""Kinds: what Image Type says an image is that is no slice of the examination itself."""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.model.image_type import LOCALIZERS, PROJECTIONS, REFORMATS, SCREENS

# What is computed from several images of an axis and is no point on it.
_MAPS = {
    "ADC",
    "EADC",
    "EXP",
    "FA",
    "TRACEW",
    "FIELD_MAP",
    "FIELD MAP",
    "T1 MAP",
    "T2 MAP",
    "T2 STAR MAP",
    "R2 MAP",
}
_KINDS = {
    "projection": frozenset(PROJECTIONS),
    "reformat": frozenset(REFORMATS),
    "screen": frozenset(SCREENS),
}


def kind_of_image(image_type: Sequence[str]) -> str:
    """What kind of image it is: "localizer", "projection", "reformat" or "screen"; "" for a slice."""
    values = [v.strip().upper() for v in image_type]
    if any(word in value for value in values for word in LOCALIZERS):
        return "localizer"
    for kind, words in _KINDS.items():
        if not words.isdisjoint(values):
            return kind
    return ""


def origin_of_image(image_type: Sequence[str]) -> tuple[str, ...]:
    """Whether the pixels are original or derived, and the image primary or secondary (values 1 and 2)."""
    return tuple(v.strip().upper() for v in image_type[:2])


def kind_of_map(image_type: Sequence[str]) -> tuple[str, ...]:
    """What images on one axis share: their origin, and what they map if they are computed."""
    return (
        *origin_of_image(image_type),
        *sorted(_MAPS.intersection(v.strip().upper() for v in image_type[2:])),
    )
