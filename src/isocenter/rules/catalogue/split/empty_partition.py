"""split/empty-partition."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.split import Split
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="CLAIM 2020 item 20")
def empty_partition(split: Split) -> Issues:
    """A partition that was asked for has no subject.

    Where the cohort is so small that the fraction asks for less than one subject, the split is kept and to be
    reviewed; an empty train part is always rejected.

    Why it matters:
        Without a test part nothing can be reported, without a validation part the test part is used to
        choose, and then it is a test no more.

    What to do:
        Add subjects, or set the fraction of the partition to 0.

    Examples:
        >>> from isocenter.testing.rules import a_row, a_split, issues_of
        >>> issues_of(empty_partition, a_split())
        []
        >>> issues_of(empty_partition, a_split(a_row("subject-1", "train"), a_row("subject-2", "test")))
        ['no subject in val']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 20
    """
    for name, fraction in sorted(split.fractions.items()):
        if fraction > 0 and not split.of(name):
            is_too_small = fraction * len(split.rows) < 1 and name != "train"
            yield Issue(
                message=f"no subject in {name}",
                severity=Severity.REVIEW if is_too_small else None,
                measured="0",
                expected=f"{fraction:g} of {len(split.rows)} subjects",
            )
