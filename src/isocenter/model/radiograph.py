"""Radiograph: which modalities are projections by X-rays, and which of their images are stored as negatives."""

from __future__ import annotations

# Projections by X-rays (PS3.3 C.7.3.1.1.1): computed and digital radiography, mammography, film, panoramic and
# intra-oral X-ray, angiography, fluoroscopy.
RADIOGRAPHS = frozenset({"CR", "DX", "MG", "RG", "PX", "IO", "XA", "RF"})
# Values of Rescale Type (0028,1054) that give numbers no meaning: US is unspecified (PS3.3 C.11.1.1.2).
_UNSPECIFIED = {"", "US"}


def is_negative(modality: str, photometric: str, rescale_type: str, *, has_modality_lut: bool) -> bool:
    """Whether the lowest values of a radiograph are meant to be white, and its numbers mean nothing by themselves.

    Such an image is inverted in its stored range when it is read (PS3.3 C.7.6.3.1.2). Where a Modality LUT gives
    the numbers a meaning, as optical density, that is kept (PS3.3 C.11.1).

    Examples:
        >>> is_negative("DX", "MONOCHROME1", "US", has_modality_lut=False)
        True
        >>> is_negative("DX", "MONOCHROME1", "OD", has_modality_lut=False)
        False
        >>> is_negative("CT", "MONOCHROME1", "", has_modality_lut=False)
        False
    """
    is_bare = rescale_type.strip().upper() in _UNSPECIFIED and not has_modality_lut
    return modality in RADIOGRAPHS and photometric.strip().upper() == "MONOCHROME1" and is_bare
