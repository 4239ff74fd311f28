"""split/early-test-part."""

from __future__ import annotations

from datetime import date

from isocenter.model.audited import AuditedSplit
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="Kapoor 2023 L3.1")
def early_test_part(split: AuditedSplit) -> Issues:
    """The test part is said to be later than the training part, but examinations of it are not.

    Examinations of the same day count as later neither way. Dates are told as distances in days.

    Why it matters:
        A network that is to work next year must be tested on data of the year after: scanners, protocols and
        patients change. A test that reaches back is a random one, and easier.

    What to do:
        Split by date (strategy `temporal`), or do not call the test prospective or temporal.

    Examples:
        >>> from isocenter.testing.audited import an_audited_split, an_image
        >>> from isocenter.testing.rules import issues_of
        >>> issues_of(early_test_part, an_audited_split())
        []
        >>> pair = (an_image("a", "train", date="2020-03-01"), an_image("b", "test", date="2020-02-01"))
        >>> issues_of(early_test_part, an_audited_split(*pair, is_temporal=True))
        ['1 of 1 dated images of the test part are not later than the last of train and val, by 29 days at most']

    References:
        S. Kapoor and A. Narayanan, Leakage and the reproducibility crisis, Patterns 4, 2023, L3.1: temporal leakage
    """
    if not split.is_temporal:
        return
    dated = _dated(split)
    before = [last for partition, _, last in dated if partition != "test"]
    test = [first for partition, first, _ in dated if partition == "test"]
    if not before or not test:
        yield Issue(
            message="the test part is said to be later, but the dates do not tell",
            severity=Severity.REVIEW,
            measured=f"{len(before)} dated in train and val, {len(test)} in test",
            expected="dates in both",
        )
        return
    last = max(before)
    early = [day for day in test if day <= last]
    if early:
        gap = last - min(early)
        yield Issue(
            message=f"{len(early)} of {len(test)} dated images of the test part are not later than the last of "
            f"train and val, by {gap:g} day{'s' * (gap != 1)} at most",
            measured=str(len(early)),
            expected="0",
            unit="images",
        )


def _dated(split: AuditedSplit) -> list[tuple[str, float, float]]:
    """Partition, first and last day of every image; of every subject where images have no dates."""
    images = [(i.partition, _day(i.date), _day(i.date)) for i in split.used]
    rows = [(r.partition, _day(r.first), _day(r.last or r.first)) for r in split.split.rows if r.partition]
    chosen = images if any(first is not None for _, first, _ in images) else rows
    return [(where, first, last) for where, first, last in chosen if first is not None and last is not None]


def _day(text: str) -> float | None:
    """A date as a number of days; a plain number stays one."""
    try:
        return float(date.fromisoformat(text[:10]).toordinal()) if "-" in text else float(text)
    except ValueError:
        return None
