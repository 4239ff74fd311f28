"""split/subject-in-two-partitions."""

from __future__ import annotations

from collections import defaultdict

from isocenter.model.audited import listed
from isocenter.model.issue import Issue, Severity
from isocenter.model.split import UNUSED, Split
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="CLAIM 2020 item 21")
def subject_in_two_partitions(split: Split) -> Issues:
    """A subject, a case, or a group that must stay together, is in more than one partition.

    Why it matters:
        A network recognises a person it has seen, so results on the test part are too good to be true.
        With slices split at random, even random labels are "learned" to the last one.

    What to do:
        Split again by subject. If two names are one person, say so in the table of subjects or as a group.

    Examples:
        >>> from isocenter.testing.rules import a_row, a_split, issues_of
        >>> issues_of(subject_in_two_partitions, a_split())
        []
        >>> rows = (a_row("subject-1", "train"), a_row("subject-1", "test"), a_row("subject-2", "val"))
        >>> issues_of(subject_in_two_partitions, a_split(*rows))
        ['1 subject is in more than one partition']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 21
        E. Yagis et al., Effect of data leakage in brain MRI classification, Scientific Reports 11, 2021
    """
    for noun in ("subject", "group", "case"):
        where: defaultdict[str, set[str]] = defaultdict(set)
        for row in split.rows:
            names = {"subject": (row.subject,), "group": (row.group,), "case": row.cases}[noun]
            for name in names:
                if name and row.partition not in UNUSED:
                    where[name].add(row.partition)
        torn = sorted(name for name, parts in where.items() if len(parts) > 1)
        if torn:
            verb = f"{noun} is" if len(torn) == 1 else f"{noun}s are"
            yield Issue(
                message=f"{len(torn)} {verb} in more than one partition",
                measured=str(len(torn)),
                expected="0",
                source=listed([f"{name} in {' and '.join(sorted(where[name]))}" for name in torn]),
            )
