"""split/selected-test-part."""

from __future__ import annotations

from typing import Annotated

from scipy.stats import fisher_exact

from isocenter.model.audited import AuditedSplit, listed
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="CLAIM 2020 item 8")
def selected_test_part(
    split: AuditedSplit,
    *,
    p: Annotated[
        float, "chance below which more exclusions from test than from train are no accident"
    ] = 0.01,
) -> Issues:
    """Images were left out of the test part.

    Their number is noted; a person has to look where the test part lost a larger share than the training part.

    Why it matters:
        A test that was cleaned of the difficult cases flatters the network: in use, nobody removes them. What
        may be left out of training for good reason must at least be reported of the test.

    What to do:
        Report the exclusions of the test part by reason, and the result with and without them.

    Examples:
        >>> from isocenter.testing.audited import an_audited_split, an_image
        >>> from isocenter.testing.rules import issues_of
        >>> issues_of(selected_test_part, an_audited_split())
        []
        >>> kept = (an_image("a", "train"), an_image("b", "test"))
        >>> out = an_image("c", "test", left_out="geometry/missing-slices")
        >>> issues_of(selected_test_part, an_audited_split(*kept, out))
        ['1 of 2 images of the test part were left out (0 of 1 of the training part)']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 8: exclusion criteria
    """
    out, kept = {}, {}
    for part in ("train", "test"):
        images = [i for i in split.images if i.partition == part]
        out[part] = [i for i in images if i.left_out]
        kept[part] = len(images) - len(out[part])
    if not out["test"]:
        return
    table = [[len(out["test"]), kept["test"]], [len(out["train"]), kept["train"]]]
    chance = float(fisher_exact(table, alternative="greater").pvalue)
    totals = {part: len(out[part]) + kept[part] for part in out}
    reasons = sorted({i.left_out for i in out["test"]})
    yield Issue(
        message=f"{len(out['test'])} of {totals['test']} images of the test part were left out "
        f"({len(out['train'])} of {totals['train']} of the training part)",
        severity=Severity.REVIEW if chance < p else None,
        measured=listed([f"{r}: {sum(i.left_out == r for i in out['test'])}" for r in reasons]),
        expected="none, or as many as of the training part",
        unit="images by reason",
    )
