"""content/collimated-border."""

from __future__ import annotations

from typing import Annotated

from isocenter.imaging.collimation import exposed_field
from isocenter.model.issue import Issue, Severity
from isocenter.model.radiograph import RADIOGRAPHS
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.8.7.3")
def collimated_border(
    volume: Volume,
    *,
    max_share: Annotated[
        float, "share of the picture outside the exposed field above which it is reviewed"
    ] = 0.5,
) -> Issues:
    """The radiograph has borders that the beam did not reach.

    Why it matters:
        The collimator leaves black or white bars, as wide as each centre is used to. They shift means and
        percentiles of the picture, and a network can tell the centre by them.

    What to do:
        Nothing for statistics: they are taken within the exposed field. Pixels are not cut off, as masks and
        boxes lie on them; crop when loading, if the bars are to be gone. Look at pictures that are mostly border.

    Examples:
        >>> import numpy as np
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> j, i = np.mgrid[:200, :200]
        >>> picture = (2000 + 900 * np.sin(j / 9 + 1) * np.cos(i / 7)).astype(np.uint16)[None]
        >>> issues_of(collimated_border, a_volume(picture, modality="DX", unit="stored"))
        []
        >>> picture[:, :40] = picture[:, :, :20] = 0
        >>> issues_of(collimated_border, a_volume(picture, modality="DX", unit="stored"))
        ['28 % of the picture lies outside the exposed field: rows 40 to 200, columns 20 to 200']

    References:
        DICOM PS3.3 C.8.7.3 X-Ray Collimator Module
    """
    if volume.modality not in RADIOGRAPHS or volume.grid.shape[0] != 1:
        return
    found = exposed_field(volume.array[0])
    if found.share > 0:
        (top, bottom), (left, right) = found.rows, found.columns
        yield Issue(
            message=f"{100 * found.share:.2g} % of the picture lies outside the exposed field: "
            f"rows {top} to {bottom}, columns {left} to {right}",
            severity=Severity.REVIEW if found.share > max_share else None,
            measured=f"{100 * found.share:.3g}",
            expected=f"at most {100 * max_share:g}",
            unit="% of pixels",
        )
