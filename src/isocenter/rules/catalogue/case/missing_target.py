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
        Add the annotation. If no mark means "looked and found nothing", say so (`absent: negative`). Where
        something was drawn and not taken, the case waits for a person, who sees it in the picture.

    Examples:
        >>> from isocenter.model.rows import LabelState
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(missing_target, a_case())
        []
        >>> unknown = (LabelState(label="lesion", state="unknown"),)
        >>> issues_of(missing_target, a_case(labels=unknown, mask=None))
        ['nothing is known about any label']
        >>> failed = (LabelState(label="lesion", state="failed"),)
        >>> issues_of(missing_target, a_case(labels=failed, mask=None))
        ['what was drawn of the labels could not be read, placed or trusted']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 14
    """
    states = {known.state for known in case.labels}
    if states & {"positive", "negative", "partial"}:
        return
    if "failed" in states:
        message = "what was drawn of the labels could not be read, placed or trusted"
        yield Issue(message=message, severity=Severity.REVIEW)
    else:
        yield Issue(message="nothing is known about any label")
