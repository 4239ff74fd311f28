"""split/shared-site."""

from __future__ import annotations

from collections import Counter

from isocenter.model.audited import AuditedSplit, listed
from isocenter.model.issue import Issue, Severity
from isocenter.model.split import UNUSED
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="CLAIM 2020 item 32")
def shared_site(split: AuditedSplit) -> Issues:
    """The test part is said to be of other centres, but a centre of it is also in train or val.

    That is looked at where independence is claimed: of subjects that a split marks as external, of a table
    with a column `external`, or of the whole test part where the auditor is told so.

    Why it matters:
        Sorting chest radiographs by hospital alone gave an AUC of 0.86 for pneumonia. A test on the centres
        of the training part does not show that a network works elsewhere.

    What to do:
        Hold whole centres back (`site-holdout`), or do not call the test external.

    Examples:
        >>> from isocenter.testing.audited import an_audited_split, an_image
        >>> from isocenter.testing.rules import issues_of
        >>> issues_of(shared_site, an_audited_split())
        []
        >>> pair = (an_image("a", "train", site="site-1"), an_image("b", "test", site="site-1"))
        >>> issues_of(shared_site, an_audited_split(*pair, is_independent=True))
        ['1 test subject that is said to be independent comes from a centre of train or val']

    References:
        J. Mongan et al., CLAIM, Radiology: Artificial Intelligence 2(2), 2020, item 32: external data
        J. R. Zech et al., Variable generalization performance, PLOS Medicine 15(11), 2018
    """
    rows = split.split.rows
    seen = {site for r in rows if r.partition not in {"test", *UNUSED} for site in r.site.split("+") if site}
    claimed = [r for r in rows if r.partition == "test" and (split.is_independent or r.is_external)]
    shared = {r.subject: sorted(set(r.site.split("+")) & seen) for r in claimed if r.site}
    shared = {subject: sites for subject, sites in shared.items() if sites}
    if shared:
        many = len(shared) > 1
        counts = Counter(site for sites in shared.values() for site in sites)
        yield Issue(
            message=f"{len(shared)} test subject{'s' * many} that {'are' if many else 'is'} said to be independent "
            f"come{'s' * (not many)} from a centre of train or val",
            measured=listed([f"{site}: {n}" for site, n in sorted(counts.items())]),
            expected="no centre in common",
            unit="test subjects by centre",
        )
