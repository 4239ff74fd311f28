"""split/scanner-tells-label."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated

from isocenter.model.audited import AuditedSplit
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule
from isocenter.rules.shortcut import shortcut_of


@rule(severity=Severity.REVIEW, clause="Zech 2018")
def scanner_tells_label(
    split: AuditedSplit,
    *,
    min_auc: Annotated[float, "area under the ROC curve from which on a label counts as told"] = 0.65,
    p: Annotated[float, "chance of such an area where the scanner tells nothing, over all labels"] = 0.01,
) -> Issues:
    """A label can be told from centre, scanner and protocol alone, without looking at the image.

    A classifier is given nothing but what the headers say of site, device, kernel, spacing, size and the like, and
    every subject is classified by a model that was fitted without it.

    Why it matters:
        A network takes the easiest way. Where nearly all positives come from one scanner it learns the
        scanner, and the test part, which has the same fault, confirms it.

    What to do:
        Add positives and negatives of every centre, or match them; hold whole centres back for the test; say
        the area in the paper.

    Examples:
        >>> from isocenter.testing.audited import an_audited_split, an_image
        >>> from isocenter.testing.rules import issues_of
        >>> issues_of(scanner_tells_label, an_audited_split())
        []
        >>> images = [
        ...     an_image(f"s{n}", "train", labels=("x",) * (n % 2), facts=(("manufacturer", "AB"[n % 2]),))
        ...     for n in range(40)
        ... ]
        >>> issues_of(scanner_tells_label, an_audited_split(*images))
        ['x is told by metadata alone: AUC 1.00, most by manufacturer (1.00)']

    References:
        J. R. Zech et al., Variable generalization performance, PLOS Medicine 15(11), 2018
    """
    facts: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    labels: dict[str, set[str]] = defaultdict(set)
    for image in split.used:
        labels[image.subject] |= set(image.labels)
        for name, value in (*image.facts, *((("site", image.site),) if image.site else ())):
            facts[image.subject][name].add(value)
    subjects = sorted(labels)
    told = [{n: "|".join(sorted(v)) for n, v in facts[s].items()} for s in subjects]
    known = sorted({label for found in labels.values() for label in found})
    for label in known:
        found = shortcut_of(told, [label in labels[s] for s in subjects])
        if found and found.auc >= min_auc and found.p < p / len(known):
            yield Issue(
                message=f"{label} is told by metadata alone: AUC {found.auc:.2f}, most by {found.best} "
                f"({found.best_auc:.2f})",
                measured=f"{found.auc:.3f}",
                expected=f"below {min_auc:g}",
                unit="area under the ROC curve",
            )
