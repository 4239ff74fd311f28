"""split/fractions-off-target."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.split import Split
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="CLAIM 2020 item 20")
def fractions_off_target(
    split: Split,
    *,
    tolerance: Annotated[float, "difference of shares that is let through"] = 0.05,
    min_subjects: Annotated[int, "with fewer subjects the shares are not judged"] = 20,
) -> Issues:
    """A partition is larger or smaller than was asked for.

    Why it matters:
        Groups that stay together and centres that are held back whole cannot always be divided as wished.
        What came out is the best there is, and the paper should say so.

    What to do:
        Nothing, or ask for fractions that the groups and centres allow.

    Examples:
        >>> from isocenter.testing.rules import a_split, issues_of
        >>> issues_of(fractions_off_target, a_split())
        []
        >>> issues_of(fractions_off_target, a_split(fractions={"train": 0.5, "val": 0.1, "test": 0.4}))
        ['20 % of the subjects are in test, asked were 40 %', '70 % of the subjects are in train, asked were 50 %']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 20
    """
    total = sum(bool(row.partition) for row in split.rows)
    if total < min_subjects:
        return
    for name, asked in sorted(split.fractions.items()):
        share = len(split.of(name)) / total
        if abs(share - asked) > tolerance + 0.5 / total:  # no split can be nearer than half a subject
            yield Issue(
                message=f"{100 * share:.0f} % of the subjects are in {name}, asked were {100 * asked:.0f} %",
                measured=f"{share:.3g}",
                expected=f"{asked:g}",
                unit="share of subjects",
            )
