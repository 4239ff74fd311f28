"""conformance/impossible-bits."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.5 8.1.1")
def impossible_bits(stack: Stack) -> Issues:
    """The header says that more bits of a value are stored than there is room for, or none.

    Why it matters:
        Where a value ends and the next begins cannot be known. Whatever is read is a guess.

    What to do:
        Export the series again; the file was damaged or written by a faulty tool.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(impossible_bits, a_stack(bits_allocated=16, bits_stored=16))
        []
        >>> issues_of(impossible_bits, a_stack(bits_allocated=8, bits_stored=12))
        ['12 bits stored in 8 bits']

    References:
        DICOM PS3.5 8.1.1 Pixel Data Encoding of Related Data Elements: Bits Stored, Bits Allocated
    """
    room, bits = stack.bits_allocated, stack.bits_stored
    if stack.format == "dicom" and room is not None and bits is not None and not 0 < bits <= room:
        yield Issue(
            message=f"{bits} bits stored in {room} bits",
            measured=str(bits),
            expected=f"1 to {room}",
            unit="bits",
        )
