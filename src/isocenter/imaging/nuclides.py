"""Nuclides of PET: their half-lives, and how headers name them."""

from __future__ import annotations

import re

# Half-lives in seconds as the Decay Data Evaluation Project recommends them (BIPM Monographie 5), rounded.
HALF_LIVES_SECONDS = {
    "C-11": 1221.7,
    "N-13": 597.9,
    "O-15": 122.2,
    "F-18": 6586.2,
    "Cu-64": 45_723.0,
    "Ga-68": 4_069.8,
    "Rb-82": 76.4,
    "Zr-89": 282_276.0,
    "I-124": 360_806.0,
}
# Scanners hold older values for some; what differs by more is another nuclide or another unit.
TOLERANCE = 0.03
# Codes of PS3.16 CID 4020 in SNOMED's older form.
_CODES = {"C-105A1": "C-11", "C-107A1": "N-13", "C-111A1": "F-18", "C-131A3": "Ga-68"}
_ELEMENTS = {
    "carbon": "C", "nitrogen": "N", "oxygen": "O", "fluorine": "F", "fluor": "F", "copper": "Cu", "gallium": "Ga",
    "rubidium": "Rb", "zirconium": "Zr", "iodine": "I",
}  # fmt: skip
_TRACERS = re.compile(r"(?i)\bfdg\b|fluoro?-?(?:2-?)?d(?:e|es)oxy-?(?:d-?)?glucose")
_NAME = re.compile(
    r"(?i)(?<![a-z0-9])(?:\^?(?P<before>\d{2,3})\^?[ -]?(?P<first>[a-z]+)|(?P<second>[a-z]+)[ -]?\^?(?P<after>\d{2,3})\^?)"
    r"(?![a-z0-9])"
)


def nuclide_of(*names: str) -> str:
    """The nuclide that codes or names of a tracer speak of, "" where none is recognised or two are.

    Args:
        names: Code values, code meanings and names of the tracer, e.g. "C-111A1" or "^18^Fluorine".
    """
    told = {_CODES[n.strip()] for n in names if n.strip() in _CODES}
    for name in names:
        told |= {found for match in _NAME.finditer(name) if (found := _known(match))}
    if not told and any(_TRACERS.search(n) for n in names):
        told = {"F-18"}
    return told.pop() if len(told) == 1 else ""


def _known(match: re.Match[str]) -> str:
    word = (match["first"] or match["second"]).lower()
    symbol = _ELEMENTS.get(word, word.capitalize())
    name = f"{symbol}-{match['before'] or match['after']}"
    return name if name in HALF_LIVES_SECONDS else ""
