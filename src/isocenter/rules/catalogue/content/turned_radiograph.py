"""content/turned-radiograph."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_FRONTAL = {"AP", "PA"}
_MAMMOGRAM = {"CC", "MLO", "LMO", "XCC", "XCCL", "XCCM", "FB", "SIO", "ISO"}


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.1.1.1")
def turned_radiograph(
    stack: Stack,
    *,
    body_parts: Annotated[
        tuple[str, ...], "body parts that are shown upright, the patient's left on the right"
    ] = (
        "",
        *(
            "ABDOMEN",
            "CHEST",
            "HEART",
            "LUNG",
            "LSPINE",
            "PELVIS",
            "RIB",
            "SPINE",
            "STERNUM",
            "THORAX",
            "TSPINE",
        ),
    ),
) -> Issues:
    """The header says that the radiograph is mirrored or upside down.

    Why it matters:
        A frontal radiograph has the patient's left on the right and the head on top; a mammogram has the outer
        side of the breast on top. One that is stored otherwise shows the heart on the wrong side, or is
        stored as usual under a wrong header. Pixels of radiographs are kept in the order they have.

    What to do:
        Look at the picture. Where the header is right, export it again as it was read; labels of sides
        depend on it.

    Examples:
        >>> from isocenter.model.attributes import Attribute
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> def shown(view, orientation, **more):
        ...     found = {"view": view, "patient_orientation": orientation, **more}
        ...     return a_stack(modality="DX", attributes=tuple(Attribute(name=n, value=v) for n, v in found.items()))
        >>> issues_of(turned_radiograph, shown("PA", "L/F"))
        []
        >>> issues_of(turned_radiograph, shown("PA", "R/F"))
        ['rows of a frontal view lead to R and columns to F']
        >>> issues_of(turned_radiograph, shown("CC", "A/R", laterality="L"))
        []
        >>> issues_of(turned_radiograph, shown("CC", "A/L", laterality="L"))
        ['columns of a left breast lead to its own side']

    References:
        DICOM PS3.3 C.7.6.1.1.1 Patient Orientation (0020,0020): where rows lead, then columns
    """
    view, orientation = stack.attribute("view"), stack.attribute("patient_orientation")
    along, _, down = orientation.partition("/")
    if not orientation:
        return
    if view in _FRONTAL and stack.attribute("body_part").upper() in body_parts:
        if set(along[0] + down[0]) & set("AP") or (along[0] in "LR" and down[0] in "LR"):
            yield Issue(message=f"a frontal view cannot lead to {along} and {down}", measured=orientation)
        elif (along[0], down[0]) != ("L", "F"):
            yield Issue(
                message=f"rows of a frontal view lead to {along} and columns to {down}",
                measured=orientation,
                expected="L/F",
            )
    side = stack.attribute("laterality")
    if view in _MAMMOGRAM and side in {"L", "R"} and side in down:
        name = "left" if side == "L" else "right"
        yield Issue(message=f"columns of a {name} breast lead to its own side", measured=orientation)
