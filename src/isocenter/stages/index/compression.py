"""What the headers say of compression with loss, as attributes of a stack: a report shows them, a split balances them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from isocenter.model.attributes import Attribute

# Syntaxes that can only be lossy (PS3.5 Annex A.4): JPEG baseline and extended, the retired progressive ones,
# near-lossless JPEG-LS. JPEG 2000 and HTJ2K may be either, of which Lossy Image Compression alone tells.
_LOSSY = {
    *("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53"),
    *("1.2.840.10008.1.2.4.55", "1.2.840.10008.1.2.4.81"),
}
# Defined terms of Lossy Image Compression Method (PS3.3 C.7.6.1.1.5.1); anything else may be anybody's text.
_METHODS = {
    *("ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_15444_15", "ISO_18181_1"),
    *("ISO_13818_2", "ISO_14496_10", "ISO_23008_2"),
}

COMPRESSION_ATTRIBUTES = ("lossy", "compression_ratio", "compression_method")


def compression_of(told: Mapping[str, Any]) -> tuple[Attribute, ...]:
    """The attributes lossy (yes or no), compression_ratio and compression_method of a stack of DICOM.

    Args:
        told: What its headers say, by field of `Stack`: is_lossy, all_transfer_syntaxes, lossy_ratios, lossy_methods.
    """
    is_lossy = told["is_lossy"] or bool(_LOSSY.intersection(told["all_transfer_syntaxes"]))
    found = {"lossy": "yes" if is_lossy else "no"}
    if is_lossy:
        found["compression_ratio"] = _joined({_ratio(text) for text in told["lossy_ratios"]})
        found["compression_method"] = _joined({_method(text) for text in told["lossy_methods"]})
    return tuple(Attribute(name=name, value=value) for name, value in found.items() if value)


def _joined(values: set[str]) -> str:
    """One text of those that the slices have; there are several where they were compressed differently."""
    return ", ".join(sorted(values - {""}))


def _ratio(text: str) -> str:
    """Ratios of the steps of compression, one after the other (C.7.6.1.1.5.2)."""
    try:
        numbers = [float(part) for part in text.split("\\")]
    except ValueError:
        return ""
    return " x ".join(f"{n:g}" for n in numbers) if all(math.isfinite(n) and n > 0 for n in numbers) else ""


def _method(text: str) -> str:
    parts = [part.strip() for part in text.split("\\")]
    return " x ".join(parts) if _METHODS.issuperset(parts) else ""
