"""annotation/empty-mask."""

from __future__ import annotations

from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.8.8.6")
def empty_mask(annotation: Annotation) -> Issues:
    """A rater marked something, and no voxel is inside it.

    Why it matters:
        "Looked and found nothing" is a negative; a mark without voxels is a contradiction. Contours
        smaller than a voxel, or drawn off the image, vanish this way, and the lesion with them.

    What to do:
        Look at the annotation in the tool it was made with. If nothing was meant, record it as absent.

    Examples:
        >>> import numpy as np
        >>> from isocenter.testing.rules import an_annotation, issues_of
        >>> issues_of(empty_mask, an_annotation())
        []
        >>> issues_of(empty_mask, an_annotation(np.zeros((5, 32, 32), bool)))
        ['marked, but no voxel is inside']

    References:
        DICOM PS3.3 C.8.8.6 ROI Contour Module; C.8.20.2 Segmentation Image Module
    """
    if annotation.state is not AnnotationState.MARKED or annotation.shape is None or annotation.grid is None:
        return
    if not annotation.mask(annotation.grid).any():
        yield Issue(message="marked, but no voxel is inside", measured="0", unit="voxels")
