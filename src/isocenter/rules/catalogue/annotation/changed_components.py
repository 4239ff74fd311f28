"""annotation/changed-components."""

from __future__ import annotations

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.8.20.2")
def changed_components(case: Case) -> Issues:
    """Connected pieces of a label ran together, or fell apart, on the grid of the case.

    Why it matters:
        Where lesions are counted, matched or boxed, two that became one, or one that became two, are other
        lesions than the rater drew.

    What to do:
        Nothing where only voxels count. Else choose a spacing no coarser than the gaps between lesions.

    Examples:
        >>> from isocenter.model.rows import LabelState
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(changed_components, a_case())
        []
        >>> one = LabelState(label="lesion", state="positive", drawn_components_before=3, drawn_components_after=2, merged=1)
        >>> issues_of(changed_components, a_case(labels=(one,)))
        ['lesion: 1 piece is made of several']

    References:
        DICOM PS3.3 C.8.20.2 Segmentation Image Module
    """
    for known in case.labels:
        told = []
        if known.merged:
            told.append(f"{_pieces(known.merged, 'is', 'are')} made of several")
        if known.split:
            told.append(f"{_pieces(known.split, 'fell', 'fell')} apart")
        if told:
            yield Issue(
                message=f"{known.label}: {', '.join(told)}",
                measured=str(known.drawn_components_after),
                expected=str(known.drawn_components_before),
                unit="pieces",
            )


def _pieces(count: int, one: str, several: str) -> str:
    return f"{count} piece {one}" if count == 1 else f"{count} pieces {several}"
