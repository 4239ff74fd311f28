"""annotation/mirrored-mask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.mirror import Rival, rivals_of
from isocenter.model.case import Case
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule

_SIDES = {"L": "left and right", "A": "front and back", "I": "head and feet"}
_OPPOSITE = {"R": "L", "P": "A", "S": "I"}


@rule(severity=Severity.REVIEW, clause="Cochran 1977")
def mirrored_mask(
    case: Case,
    *,
    min_evidence: Annotated[
        float, "standard errors by which a mirrored mask has to fit the image better to be reported"
    ] = 4.0,
) -> Issues:
    """A mask fits what is seen in the image better if it is mirrored.

    Why it matters:
        A converter that turns an axis of the mask and not of the image leaves two headers that agree and
        a mask on the wrong side. Its volume and its number of pieces are right, so nothing else tells.

    What to do:
        Look at the picture. Where the border of the mask runs across the borders in the image, find the
        step that turned it, and export it again. Small masks and symmetrical ones are never reported.

    Examples:
        >>> import numpy as np
        >>> from dataclasses import replace
        >>> from isocenter.model.grid import Grid
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> organ = np.zeros((12, 64, 64), np.uint8)
        >>> organ[2:10, 6:44, 4:30] = 1
        >>> grid = Grid(organ.shape, a_case().grid.affine)
        >>> case = a_case(image=50 * organ[np.newaxis].astype(np.int16), mask=organ, grid=grid)
        >>> issues_of(mirrored_mask, case)
        []
        >>> issues_of(mirrored_mask, replace(case, mask=organ[:, :, ::-1]))
        ['the mask fits the image better mirrored between left and right']

    References:
        W. G. Cochran, Sampling Techniques, 3rd ed., Wiley 1977, 6.4: errors of means over clusters
    """
    for whose, mask in _masks(case):
        best = _best(case, mask)
        if best is not None and best.evidence >= min_evidence:
            yield Issue(
                message=f"{whose} fits the image better {_way(best.axes, case.grid)}",
                measured=f"{best.evidence:.1f} (confidence {best.confidence:.4f}, {best.faces} voxel faces)",
                expected=f"less than {min_evidence:g}",
                unit="standard errors",
            )


def _masks(case: Case) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every rater's mask by itself, as one of them may be mirrored; the consensus where nobody is named."""
    named = {f"the mask of {rater}": mask for rater, mask in sorted(case.raters.items())}
    for whose, mask in (named or {"the mask": case.mask}).items():
        if mask is not None:
            yield whose, _flat(np.asarray(mask))


def _flat(mask: NDArray[Any]) -> NDArray[Any]:
    """Layers as one map: the last of several labels of a voxel."""
    if mask.ndim == 3:
        return mask
    out = np.zeros(mask.shape[1:], dtype=np.uint16)
    for value, layer in enumerate(mask, start=1):
        out[layer != 0] = value
    return out


def _best(case: Case, mask: NDArray[Any]) -> Rival | None:
    """The best way to mirror a mask, by the channel that speaks least for it: two images seldom err alike."""
    by_channel = []
    for channel in range(len(case.channels)):
        rivals = {r.axes: r for r in rivals_of(np.asarray(case.image[channel]), mask, case.grid)}
        if any(r.evidence for r in rivals.values()):  # a channel that is missing is all background
            by_channel.append(rivals)
    if not by_channel:
        return None
    least = [min((c[axes] for c in by_channel), key=lambda r: r.evidence) for axes in by_channel[0]]
    return max(least, key=lambda r: r.evidence)


def _way(axes: str, grid: Grid) -> str:
    if axes == "ij":
        return "turned by 180 degrees in its slices"
    if not grid.is_oriented:
        return f"mirrored along {axes}"
    code = grid.axis_codes["ijk".index(axes)]
    return f"mirrored between {_SIDES[_OPPOSITE.get(code, code)]}"
