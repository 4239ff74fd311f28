"""Kinds: what Image Type says an image is that is no slice of the examination itself."""

from __future__ import annotations

from collections.abc import Sequence

# Words of Image Type (PS3.3 C.7.6.1.1.2, C.8.2.1.1.1, C.8.3.1.1.1, and what scanners write there).
_LOCALIZERS = ("LOCALIZER", "SCOUT", "SURVIEW", "TOPOGRAM", "SCANOGRAM", "SURVEY")
_PROJECTIONS = {
    "MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "VRT", "SSD", "VOLUME RENDERING",
}  # fmt: skip
_REFORMATS = {"MPR", "REFORMATTED", "CPR", "CURVED", "RESAMPLED"}
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
_SCREENS = {"SCREEN SAVE", "DOSE_INFO", "DOSE INFO", "DOSE REPORT"}


def kind_of_image(image_type: Sequence[str]) -> str:
    """What kind of image it is: "localizer", "projection", "reformat" or "screen"; "" for a slice."""
    values = [v.strip().upper() for v in image_type]
    if any(word in value for value in values for word in _LOCALIZERS):
        return "localizer"
    for kind, words in (("projection", _PROJECTIONS), ("reformat", _REFORMATS), ("screen", _SCREENS)):
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
