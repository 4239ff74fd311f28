"""split/label-missing-in-partition."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.split import Split
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="CLAIM 2020 item 20")
def label_missing_in_partition(
    split: Split,
    *,
    min_positive: Annotated[int, "smallest number of positive subjects per partition"] = 1,
) -> Issues:
    """A label that occurs in the data set does not occur in a partition.

    Why it matters:
        What is not in the training part cannot be learned, what is not in the test part cannot be
        measured: sensitivity has no value there.

    What to do:
        Split with strata. If there are fewer positive subjects than partitions, add data or merge labels.

    Examples:
        >>> from isocenter.testing.rules import a_row, a_split, issues_of
        >>> issues_of(label_missing_in_partition, a_split())
        []
        >>> rows = (a_row("subject-1", "train", labels=("lesion",)), a_row("subject-2", "test"))
        >>> issues_of(label_missing_in_partition, a_split(*rows))
        ['lesion is positive in 0 subjects of test']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 20
    """
    for label in sorted({label for row in split.rows for label in row.labels}):
        for partition in sorted({row.partition for row in split.rows if row.partition}):
            count = sum(label in row.labels for row in split.of(partition))
            if count < min_positive:
                yield Issue(
                    message=f"{label} is positive in {count} subject{'' if count == 1 else 's'} of {partition}",
                    measured=str(count),
                    expected=f"at least {min_positive}",
                    unit="subjects",
                )
