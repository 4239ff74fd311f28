"""split/drifting-prevalence."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.prevalence import wilson_interval
from isocenter.model.split import Split
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="Wilson 1927")
def drifting_prevalence(
    split: Split,
    *,
    z: Annotated[float, "width of the intervals in standard deviations; 1.96 is 95 %"] = 1.96,
) -> Issues:
    """A label is more frequent in one partition than chance explains.

    Why it matters:
        Predictive values and calibration depend on prevalence. A test part that differs from the training
        part answers another question; a test part of other centres may rightly do so.

    What to do:
        Stratify by the label. A split that only grows keeps everybody's place, so drift is told, not
        mended.

    Examples:
        >>> from isocenter.testing.rules import a_row, a_split, issues_of
        >>> issues_of(drifting_prevalence, a_split())
        []
        >>> train = [a_row(f"a{n}", "train", labels=("lesion",) if n < 10 else ()) for n in range(100)]
        >>> test = [a_row(f"b{n}", "test", labels=("lesion",) if n < 10 else ()) for n in range(20)]
        >>> issues_of(drifting_prevalence, a_split(*train, *test))
        ['lesion: 50 % in test (30 to 70), 10 % in train (6 to 17)']

    References:
        E. B. Wilson, Probable inference, Journal of the American Statistical Association 22, 1927
        R. G. Newcombe, Two-sided confidence intervals for the single proportion, Stat. Med. 17, 1998
    """
    train = split.of("train")
    others = sorted({row.partition for row in split.rows} - {"", "train"})
    if not train:
        return
    for label in sorted({label for row in split.rows for label in row.labels}):
        usual = _interval(sum(label in row.labels for row in train), len(train), z)
        for partition in others:
            rows = split.of(partition)
            found = _interval(sum(label in row.labels for row in rows), len(rows), z)
            if found[1] > usual[2] or found[2] < usual[1]:
                yield Issue(
                    message=f"{label}: {_text(found)[0]} in {partition} ({_text(found)[1]}), "
                    f"{_text(usual)[0]} in train ({_text(usual)[1]})",
                    measured=f"{found[0]:.3g}",
                    expected=f"{usual[1]:.3g} to {usual[2]:.3g}",
                    unit="share of subjects",
                )


def _interval(positive: int, total: int, z: float) -> tuple[float, float, float]:
    return positive / total, *wilson_interval(positive, total, z)


def _text(interval: tuple[float, float, float]) -> tuple[str, str]:
    share, low, high = (f"{100 * value:.0f}" for value in interval)
    return f"{share} %", f"{low} to {high}"
