"""Selection: which cases are shown where not all can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, zip_longest

from isocenter.base.seeds import fraction
from isocenter.model.issue import Verdict
from isocenter.model.rows import CaseRow


def chosen_cases(cases: Sequence[CaseRow], most: int) -> tuple[CaseRow, ...]:
    """Cases on review first, then the others in turn from every site, by a lot that depends on the id alone."""
    in_lot_order = sorted(cases, key=lambda c: (fraction(0, "gallery", c.id), c.id))
    held = [c for c in in_lot_order if c.verdict == Verdict.REVIEW]
    by_site: dict[str, list[CaseRow]] = defaultdict(list)
    for case in in_lot_order:
        if case.verdict != Verdict.REVIEW:
            by_site[case.site].append(case)
    turns = chain.from_iterable(zip_longest(*(by_site[s] for s in sorted(by_site))))
    return tuple([*held, *(c for c in turns if c is not None)][:most])
