"""annotation/partial-label."""

from __future__ import annotations

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="CLAIM 2020 item 14")
def partial_label(case: Case) -> Issues:
    """Of a label it is known in a part of the image only whether it is there.

    Why it matters:
        What nobody looked at is no background. A network that is told so unlearns what it learned from cases that
        were marked in full.

    What to do:
        Nothing, if the loss is taken where `loss_mask` is true. Else leave such cases out, or have them finished.

    Examples:
        >>> from isocenter.model.rows import LabelState
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(partial_label, a_case())
        []
        >>> some = LabelState(label="lesion", state="partial", volume_ml=0.4)
        >>> issues_of(partial_label, a_case(labels=(some,)))
        ['lesion is known in a part of the image only']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 14
    """
    for known in case.labels:
        if known.state == "partial":
            yield Issue(
                message=f"{known.label} is known in a part of the image only",
                measured="partial",
                expected="all of the image",
            )
