"""Weighting: what makes the contrast of an MR image, by its times and b-value, not by what somebody called it.

The bounds are those of clinical protocols at 1.5 and 3 tesla (R. H. Hashemi, W. G. Bradley, C. J. Lisanti, MRI: The
Basics, 4th ed. 2018: short TR below about 1000 ms, short TE below about 30, long TE from about 70; TI of about 2000
ms nulls fluid, of about 200 fat), drawn in so far that what two sequences share is neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.model.rows import Stack

WEIGHTINGS = ("T1", "T2", "PD", "FLAIR", "STIR", "DWI", "ADC")

# Words of Image Type that name a map made of diffusion images, which keeps their b-value: anisotropy (fractional,
# relative, volume ratio), exponential ADC, and what the tensor is made of.
_DIFFUSION_MAPS = {
    "ANISO",
    "ANISOTROPY",
    "COLFA",
    "EADC",
    "EXP",
    "EXPONENTIAL",
    "FA",
    "MD",
    "RA",
    "TENSOR",
    "VR",
}
# Image Type of images whose times say nothing of what they show: maps, phases, flow and perfusion (PS3.3 C.8.13.3.1).
_OTHERS = (
    "PERFUSION",
    "ASL",
    "PHASE",
    "MAP",
    "VELOCITY",
    "FLOW",
    "ANGIO",
    "CBF",
    "CBV",
    "MTT",
    "TTP",
    "FMRI",
)


def weighting_of(stack: Stack) -> str:
    """What an MR stack is weighted by, one of `WEIGHTINGS`; "" where its header leaves it open.

    Gradient echoes of short repetition (TR below 100 ms) and echo-planar series of TE 20 to 70 ms are left open: flip
    angle and spoiling, which are not looked at, decide there.
    """
    if stack.modality != "MR":
        return ""
    words = [part.strip().upper() for part in stack.image_type]
    if "ADC" in words:
        return "ADC"
    if _is_map(words[2:]):
        return ""
    if (_number(stack, "b_value", "b-value") or 0.0) > 0:
        return "DWI"
    echo, inversion = _number(stack, "echo_time_ms", "echo"), _number(stack, "inversion_time_ms", "inversion")
    return weighting(echo, _number(stack, "repetition_time_ms", ""), inversion)


def _is_map(words: Sequence[str]) -> bool:
    parts = {part for word in words for part in word.split("_")}
    if "P" in words or not _DIFFUSION_MAPS.isdisjoint(parts):
        return True
    return any(other in word for word in words for other in _OTHERS)


def weighting(echo_ms: float | None, repetition_ms: float | None, inversion_ms: float | None) -> str:
    """What times make of an image; "" where they leave it open.

    >>> weighting(10, 500, None), weighting(100, 4000, None), weighting(12, 3000, None)
    ('T1', 'T2', 'PD')
    >>> weighting(120, 9000, 2500), weighting(60, 5000, 160), weighting(3, 2300, 900)
    ('FLAIR', 'STIR', 'T1')
    >>> weighting(2, 5, None), weighting(30, 2000, None), weighting(None, 500, None)
    ('', '', '')
    """
    if echo_ms is None or echo_ms <= 0:
        return ""
    if inversion_ms:
        if 1500 <= inversion_ms <= 3000 and echo_ms >= 70:
            return "FLAIR"
        if 80 <= inversion_ms <= 280 and (repetition_ms or 0) >= 1500:
            return "STIR"
        return "T1" if 500 <= inversion_ms <= 1300 and echo_ms <= 30 else ""
    if repetition_ms is None:
        return ""
    if 100 <= repetition_ms <= 1000:
        return "T1" if echo_ms <= 12 else ""
    if repetition_ms >= 2000:
        return "PD" if echo_ms <= 15 else "T2" if echo_ms >= 70 else ""
    return ""


def _number(stack: Stack, name: str, axis: str) -> float | None:
    """A number of the stack's own place on an axis, else of its attributes."""
    if axis and stack.axis == axis and stack.axis_value is not None:
        return stack.axis_value
    try:
        return float(stack.attribute(name))
    except ValueError:
        return None
