"""Facts that a scanner or an export says of itself, by which a label should not be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.rows import Stack

# Of the device and the protocol; age, sex and weight are the patient's.
TELLING = (
    "manufacturer",
    "model",
    "convolution_kernel",
    "kvp",
    "field_strength_t",
    "contrast_agent",
    "body_part",
    "slice_thickness_mm",
    "echo_time_ms",
    "repetition_time_ms",
    "view",
    "spacing_kind",
)


def facts_of(stack: Stack) -> tuple[tuple[str, str], ...]:
    """What the header of a stack says of scanner and protocol."""
    kind = (("format", stack.format), ("modality", stack.modality), ("bits", str(stack.bits_stored or "")))
    syntax = (("transfer_syntax", stack.transfer_syntax_uid), ("dtype", stack.dtype))
    shape = shape_facts(stack.shape, stack.spacing_mm)
    found = (*kind, *syntax, *shape, *attribute_facts(stack.attributes))
    return tuple((n, v) for n, v in found if v)


def attribute_facts(attributes: Iterable[Attribute]) -> tuple[tuple[str, str], ...]:
    """The attributes that tell the scanner, with their values."""
    return tuple(
        (a.name, a.value)
        for a in attributes
        if a.name in TELLING and a.state == AttributeState.KNOWN and a.value
    )


def shape_facts(shape: Sequence[int], spacing_mm: Sequence[float]) -> tuple[tuple[str, str], ...]:
    """Slices, rows and columns of an image, and the sizes of its voxels."""
    sides = zip(("slices", "rows", "columns"), shape, strict=False)
    steps = zip(("slice_spacing_mm", "row_spacing_mm", "column_spacing_mm"), spacing_mm, strict=False)
    return (*((n, str(v)) for n, v in sides), *((n, f"{v:.3g}") for n, v in steps))
