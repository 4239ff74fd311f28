"""split/statistics-beyond-training."""

from __future__ import annotations

from isocenter.model.audited import AuditedSplit
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="Kapoor 2023 L1.2")
def statistics_beyond_training(split: AuditedSplit) -> Issues:
    """Statistics that the network sees were fitted on other cases than those of the training part.

    Why it matters:
        Normalisation, landmarks and percentiles that were measured with the test part carry it into
        training. It is a leak of its own kind: no image is on both sides, yet the test is no longer unseen.

    What to do:
        Fit on the training part alone, after the split; `isocenter` does so and keeps the result in the
        store. nnU-Net measures its fingerprint over all training cases, so its folds are not unseen in this
        sense: report a test part that was never in imagesTr.

    Examples:
        >>> from isocenter.model.audited import FittedOn
        >>> from isocenter.testing.audited import an_audited_split
        >>> from isocenter.testing.rules import issues_of
        >>> issues_of(statistics_beyond_training, an_audited_split())
        []
        >>> fit = FittedOn(name="fingerprint", cases=30, training=21, is_training=False)
        >>> issues_of(statistics_beyond_training, an_audited_split(fitted=(fit,)))
        ['fingerprint was fitted on 30 cases, which are not the 21 of the training part']

    References:
        S. Kapoor and A. Narayanan, Leakage and the reproducibility crisis, Patterns 4, 2023, L1.2: preprocessing
    """
    for fit in split.fitted:
        if not fit.is_training:
            yield Issue(
                message=f"{fit.name} was fitted on {fit.cases} cases, which are not the {fit.training} of the "
                "training part",
                measured=str(fit.cases),
                expected=str(fit.training),
                unit="cases",
            )
