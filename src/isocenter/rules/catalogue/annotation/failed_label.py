"""annotation/failed-label."""

from __future__ import annotations

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="CLAIM 2020 item 14")
def failed_label(case: Case) -> Issues:
    """What was drawn for a label could not be read, placed or trusted.

    Why it matters:
        Somebody marked something, and it is not in the case: that is neither a negative nor a label that nobody
        looked for. Of several readers, the consensus is that of the others.

    What to do:
        Look at the issue that says why (`read/...`), and export the annotation again.

    Examples:
        >>> from isocenter.model.rows import OpinionRow
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(failed_label, a_case())
        []
        >>> lost = OpinionRow(case="c", label="lesion", rater="b", state="failed", looked=0.0)
        >>> issues_of(failed_label, a_case(opinions=(lost,)))
        ['lesion: annotations of 1 rater are of no use']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 14
    """
    for label in sorted({o.label for o in case.opinions if o.state == "failed"}):
        count = sum(o.label == label and o.state == "failed" for o in case.opinions)
        yield Issue(
            message=f"{label}: annotations of {count} rater{'' if count == 1 else 's'} are of no use",
            measured=str(count),
            expected="0",
            unit="annotations",
        )
