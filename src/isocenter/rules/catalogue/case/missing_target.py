"""case/missing-target."""

from __future__ import annotations

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="CLAIM 2020 item 14")
def missing_target(case: Case) -> Issues:
    """Nothing is known about any label of the case.

    Why it matters:
        A case without a target teaches nothing, and taken for a negative it teaches what is wrong.

    What to do:
        Add the annotation. If no mark means "looked and found nothing", say so (`absent: negative`).

    Examples:
        >>> from isocenter.model.rows import LabelState
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(missing_target, a_case())
        []
        >>> unknown = (LabelState(label="lesion", state="unknown"),)
        >>> issues_of(missing_target, a_case(labels=unknown, mask=None))
        ['nothing is known about any label']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 14
    """
    if not any(known.state in {"positive", "negative"} for known in case.labels):
        yield Issue(message="nothing is known about any label")
