"""annotation/vanished-component."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.8.20.2")
def vanished_component(
    case: Case,
    *,
    min_ml: Annotated[float, "size of the largest lost piece from which it is reported"] = 0.0,
) -> Issues:
    """A connected piece of a label has no voxel left on the grid of the case.

    Why it matters:
        The label is still positive, so nothing else tells: but a small lesion beside a large one is gone,
        and a model is punished for finding it.

    What to do:
        Choose a spacing no coarser than the smallest lesion that counts, or see whether the annotation
        reaches beyond the image. Crumbs of a ragged border may be left out by their size.

    Examples:
        >>> from isocenter.model.rows import LabelState
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(vanished_component, a_case())
        []
        >>> one = LabelState(label="lesion", state="positive", drawn_components_before=3, vanished=1, vanished_ml=0.02)
        >>> issues_of(vanished_component, a_case(labels=(one,)))
        ['1 of 3 pieces of lesion vanished on the grid of the case, the largest had 0.02 ml']

    References:
        DICOM PS3.3 C.8.20.2 Segmentation Image Module
    """
    for known in case.labels:
        if known.vanished and known.vanished_ml >= min_ml:
            yield Issue(
                message=f"{known.vanished} of {known.drawn_components_before} "
                f"piece{'' if known.drawn_components_before == 1 else 's'} of {known.label} vanished on the grid "
                f"of the case, the largest had {known.vanished_ml:.3g} ml",
                measured=str(known.vanished),
                expected="0",
                unit="pieces",
            )
