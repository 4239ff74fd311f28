"""annotation/too-few-raters."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="CLAIM 2020 item 18")
def too_few_raters(
    case: Case,
    *,
    min_raters: Annotated[int, "number of raters that the protocol asks for"] = 1,
) -> Issues:
    """Fewer raters marked the case than the protocol asks for.

    Why it matters:
        A consensus of one is no consensus, and its error is not known. Which cases were read twice is
        rarely chance: often they are the difficult ones.

    What to do:
        Set `min_raters` to what was agreed; one rater is enough unless you say so. Have the cases read,
        or keep them on purpose.

    Examples:
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(too_few_raters, a_case())
        []
        >>> issues_of(too_few_raters, a_case(), min_raters=2)
        ['1 rater, fewer than 2']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, items 14 to 18
    """
    if case.mask is None:
        return
    count = max(len(case.raters), 1)  # a mask was made by somebody
    if count < min_raters:
        yield Issue(
            message=f"{count} rater{'' if count == 1 else 's'}, fewer than {min_raters}",
            measured=str(count),
            expected=f"at least {min_raters}",
            unit="raters",
        )
