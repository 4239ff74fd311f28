"""annotation/low-agreement."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.annotation import Consensus
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="Dice 1945")
def low_agreement(
    consensus: Consensus,
    *,
    min_dice: Annotated[float, "smallest accepted Dice of the two raters who agree least"] = 0.7,
    min_f1: Annotated[float, "smallest accepted F1 of the boxes of the two raters who agree least"] = 0.7,
) -> Issues:
    """Two raters disagree about where a structure is.

    Why it matters:
        A network can learn no more than the raters agree on. Where one marked something and the other
        nothing, the Dice is 0. Where both marked nothing they agree, and no number is made of it. Boxes are
        compared by how many of them match, as F1.

    What to do:
        Let a third reader decide. Mind the size: on a lesion of few voxels, a border that is off by one
        voxel already gives less than 0.7; `agreement.surface_mm` measures such borders in millimetres.

    Examples:
        >>> from isocenter.testing.rules import a_consensus, issues_of
        >>> issues_of(low_agreement, a_consensus(0.7, 0.93, None))
        []
        >>> issues_of(low_agreement, a_consensus(0.69, 0.93))
        ['lesion: the worst pair of raters has a Dice of 0.690, below 0.7']

    References:
        L. R. Dice, Measures of the amount of ecologic association between species, Ecology 26, 1945
        A. P. Zijdenbos et al., IEEE Trans. Med. Imaging 13, 1994: above 0.7 is excellent agreement
    """
    for measure, unit, least in (("dice", "Dice", min_dice), ("f1", "F1", min_f1)):
        worst: dict[str, float] = {}
        for pair in consensus.agreements:
            value = getattr(pair, measure)
            if value is not None:
                worst[pair.label] = min(value, worst.get(pair.label, 1.0))
        for label, value in sorted(worst.items()):
            if not value >= least:
                yield Issue(
                    message=f"{label}: the worst pair of raters has a {unit} of {value:.3f}, below {least:g}",
                    measured=f"{value:.3f}",
                    expected=f"at least {least:g}",
                    unit=unit,
                )
