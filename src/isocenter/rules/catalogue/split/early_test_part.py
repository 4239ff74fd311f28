"""split/early-test-part."""

from __future__ import annotations

from isocenter.model.audited import AuditedSplit
from isocenter.model.issue import Issue, Severity
from isocenter.model.split import UNUSED
from isocenter.model.times import comparable, is_time
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="Kapoor 2023 L3.1")
def early_test_part(split: AuditedSplit) -> Issues:
    """The test part is said to be later than the training part, but examinations of it are not.

    Examinations of the same day count as later neither way. Where some have no date, or some a date and some a
    number, a person has to look. Dates are told as distances in days.

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
    times = _times(split)
    known = [(place, first, last) for place, first, last in times if is_time(first) and is_time(last)]
    days = comparable(text for _, first, last in known for text in (first, last))
    before = [last for place, _, last in known if place != "test"]
    test = [first for place, first, _ in known if place == "test"]
    if days is None or not before or not test:
        kinds = "" if days is not None else ": some are dates and some are numbers"
        yield Issue(
            message=f"the test part is said to be later, but the dates do not tell{kinds}",
            severity=Severity.REVIEW,
            measured=f"{len(before)} dated in train and val, {len(test)} in test",
            expected="dates in both",
        )
        return
    if undated := len(times) - len(known):
        yield Issue(
            message=f"the test part is said to be later, but {undated} of {len(times)} images or subjects have no date",
            severity=Severity.REVIEW,
            measured=str(undated),
            expected="0",
            unit="without a date",
        )
    latest = max(days[text] for text in before)
    early = [days[text] for text in test if days[text] <= latest]
    if early:
        gap = latest - min(early)
        yield Issue(
            message=f"{len(early)} of {len(test)} dated images of the test part are not later than the last of "
            f"train and val, by {gap:g} day{'s' * (gap != 1)} at most",
            measured=str(len(early)),
            expected="0",
            unit="images",
        )


def _times(split: AuditedSplit) -> list[tuple[str, str, str]]:
    """Partition, first and last day of every image; of every subject where images have no dates."""
    if any(is_time(i.date) for i in split.used):
        return [(i.partition, i.date, i.date) for i in split.used]
    rows = [r for r in split.split.rows if r.partition not in UNUSED]
    return [(r.partition, r.first or r.last, r.last or r.first) for r in rows]
