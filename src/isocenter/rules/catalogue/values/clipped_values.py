"""values/clipped-values."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.imaging.facts import CEILING, FLOOR, facts_of
from isocenter.imaging.sample import values_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.11.1")
def clipped_values(
    volume: Volume,
    *,
    low_hu: Annotated[int, "lower end of the range that is kept"] = -1024,
    high_hu: Annotated[int, "upper end of the range that is kept"] = 3071,
    noise_hu: Annotated[int, "how far noise in air reaches below the lower end"] = 200,
    max_share: Annotated[float, "share of voxels beyond the range that is let through"] = 0.001,
) -> Issues:
    """Many values of the CT lie beyond the usual range and are cut off at its ends.

    Why it matters:
        -1024 to 3071 is the range of 12-bit scanners and no law. Scanners with an extended scale resolve
        metal above it, and unmarked background lies below it; either is lost in the cut. Noise in air is
        not counted.

    What to do:
        Nothing for soft tissue. Set `standardise.hu_range` to null where implants or dense objects matter.

    Examples:
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(clipped_values, a_volume())
        []
        >>> array = a_volume().array
        >>> array[:, 14:18, 14:18] = 9000
        >>> issues_of(clipped_values, a_volume(array))
        ['0 % of voxels below -1224 HU, 1.6 % above 3071 HU']

    References:
        DICOM PS3.3 C.11.1 Modality LUT Module
    """
    if volume.unit != "HU":
        return
    facts, floor_hu = facts_of(volume), low_hu - noise_hu
    if not (np.fmin.reduce(facts.minimum) < floor_hu or np.fmax.reduce(facts.maximum) > high_hu):
        return
    total, least = int(facts.n_valid.sum()), int(max_share * facts.n_valid.sum())
    may_pass = floor_hu <= FLOOR and high_hu >= CEILING - 1
    if may_pass and int(facts.n_below.sum()) + int(facts.n_above.sum()) <= least:
        return  # what was counted is more than what lies beyond this range
    below, above = _beyond(volume, floor_hu, high_hu)
    if total and below + above > max_share:
        share = np.array([below, above]) * 100
        yield Issue(
            message=f"{share[0]:.2g} % of voxels below {floor_hu} HU, {share[1]:.2g} % above {high_hu} HU",
            measured=f"{share.sum():.3g}",
            expected=f"at most {100 * max_share:g}",
            unit="% of voxels",
        )


def _beyond(volume: Volume, floor_hu: float, high_hu: float) -> tuple[float, float]:
    """Shares of voxels below and above: those counted beyond -1024 and 3071, as a sample says how far beyond."""
    facts, values = facts_of(volume), values_of(volume)
    shares = []
    for counted, is_counted, is_beyond in (
        (facts.n_below, values < FLOOR, values < floor_hu),
        (facts.n_above, values >= CEILING, values > high_hu),
    ):
        share, of_sample = float(counted.sum() / facts.n_valid.sum()), int(np.count_nonzero(is_counted))
        inside = int(np.count_nonzero(is_beyond & is_counted))
        outside = int(np.count_nonzero(is_beyond & ~is_counted)) / values.size
        shares.append((share * inside / of_sample if of_sample else 0.0) + outside)
    return shares[0], shares[1]
