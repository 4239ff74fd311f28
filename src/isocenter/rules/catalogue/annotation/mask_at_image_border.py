"""annotation/mask-at-image-border."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule
from isocenter.rules.regions import Region, regions_of

_FACES = (("first slice", "last slice"), ("first row", "last row"), ("first column", "last column"))


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.6.2")
def mask_at_image_border(
    case: Case,
    *,
    min_voxels: Annotated[int, "voxels on one face of the image that are reported"] = 1,
) -> Issues:
    """A label reaches the border of the image, and is probably cut off there.

    Why it matters:
        The volume of a structure that goes on beyond the image is too small, and its shape has a flat
        side that no anatomy has.

    What to do:
        Nothing for vessels, bones and skin, which always go on. Leave such cases out where size counts.

    Examples:
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(mask_at_image_border, a_case())
        []
        >>> mask = a_case().mask.copy()
        >>> mask[0, 14:18, 14:18] = 1
        >>> issues_of(mask_at_image_border, a_case(mask=mask))
        ['label 1 reaches the first slice']

    References:
        DICOM PS3.3 C.7.6.2 Image Plane Module
    """
    for region in regions_of(case):
        faces = _faces(region, case.grid.shape, min_voxels)
        if faces:
            yield Issue(message=f"{region.name} reaches the {', the '.join(faces)}", measured=str(len(faces)))


def _faces(region: Region, shape: tuple[int, int, int], min_voxels: int) -> list[str]:
    out = []
    for axis, names in enumerate(_FACES):
        if shape[axis] == 1:
            continue  # a lone slice is border altogether
        part, length = region.box[axis], shape[axis]
        for name, is_there, end in ((names[0], part.start == 0, 0), (names[1], part.stop == length, -1)):
            if is_there and int(region.mask.take(end, axis=axis).sum()) >= min_voxels:
                out.append(name)
    return out
