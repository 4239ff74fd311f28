"""split/too-few-external-subjects."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.split import UNUSED, Split
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="CLAIM 2020 item 32")
def too_few_external_subjects(
    split: Split,
    *,
    min_share: Annotated[float, "share of test subjects that must come from centres seen nowhere else"] = 0.2,
) -> Issues:
    """Too few test subjects come from centres that the network has not seen.

    Why it matters:
        Scanners and habits differ between centres. A test on the centres of the training part says
        nothing about the next hospital; only whole centres held back do.

    What to do:
        Use the strategy `site-holdout`. If the other centres are too small, add data or say in the paper
        how small the external part is. With one centre alone there is nothing to hold back.

    Examples:
        >>> from isocenter.testing.rules import a_row, a_split, issues_of
        >>> issues_of(too_few_external_subjects, a_split())
        []
        >>> rows = (a_row("a", "train"), a_row("b", "train", site="site-2"), a_row("c", "test", site="site-2"))
        >>> issues_of(too_few_external_subjects, a_split(*rows))
        ['0 of 1 test subjects come from centres seen nowhere else, 1 short']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 32: external data
    """
    test = split.of("test")
    if not test or len({r.site for r in split.rows if r.site}) < 2:
        return
    seen = {r.site for r in split.rows if r.partition not in {"test", *UNUSED}}
    external = sum(bool(r.site) and r.site not in seen for r in test)
    if external < min_share * len(test) - 1e-9:
        short = next(n for n in range(1, len(test) + 1) if external + n >= min_share * len(test) - 1e-9)
        yield Issue(
            message=f"{external} of {len(test)} test subjects come from centres seen nowhere else, "
            f"{short} short",
            measured=f"{external / len(test):.3g}",
            expected=f"at least {min_share:g}",
            unit="share of test subjects",
        )
