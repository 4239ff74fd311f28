"""geometry/abnormal-voxel-size."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 10.7.1.3")
def abnormal_voxel_size(
    stack: Stack,
    *,
    min_mm: Annotated[float, "smallest accepted distance of voxel centres"] = 0.04,
    max_mm: Annotated[float, "largest accepted distance of voxel centres"] = 10.0,
) -> Issues:
    """A voxel is smaller or larger than scanners make them.

    Why it matters:
        A spacing of 0.0005 or 700 is a length in metres or micrometres, a spacing of 0 is none. Whatever
        is resampled or measured with it is wrong by the same factor.

    What to do:
        Compare with the protocol. Correct the header if the unit is wrong; set `min_mm` and `max_mm`
        where such voxels are meant.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(abnormal_voxel_size, a_stack())
        []
        >>> issues_of(abnormal_voxel_size, a_stack(spacing_mm=(2.5, 0.0005, 0.0005)))
        ['0.0005 mm between rows', '0.0005 mm between columns']

    References:
        DICOM PS3.3 10.7.1.3 Pixel Spacing Value Order; NIfTI-1 pixdim and xyzt_units
    """
    if len(stack.spacing_mm) != 3:
        return
    # where slices are missing, the usual distance is the one to judge, not their mean
    sizes = (stack.slice_distance_mm or stack.spacing_mm[0], *stack.spacing_mm[1:])
    lengths = stack.shape if len(stack.shape) == 3 else (2, 2, 2)
    for name, size, length in zip(("slices", "rows", "columns"), sizes, lengths, strict=True):
        # a lone slice has no neighbour to be distant from
        if length > 1 and not min_mm <= size <= max_mm:
            yield Issue(
                message=f"{size:.4g} mm between {name}",
                measured=f"{size:.4g}",
                expected=f"{min_mm:g} to {max_mm:g}",
                unit="mm",
            )
