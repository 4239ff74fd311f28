"""values/shifted-hounsfield."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.sample import levels_of, values_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule

_SAMPLE = 1 << 17
_AIR, _TISSUE = (-1100, -900), (-150, 150)
_STEP, _PEAK = 4, 60
_FEWEST = 4
# More soft tissue than the tail of shifted bone would bring to its place.
_PLENTY = 0.1
_LOW, _HIGH = -4096, 4096


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.11.1")
def shifted_hounsfield(
    volume: Volume,
    *,
    min_shift_hu: Annotated[float, "shift that no calibration leaves"] = 150,
    min_share: Annotated[float, "share of voxels that the peaks of air and of soft tissue need"] = 0.02,
) -> Issues:
    """Air and soft tissue of a CT are both shifted by the same number of HU.

    Why it matters:
        Air is -1000 and muscle about 50 in every CT. Where both lie a thousand higher or lower, the rescale
        intercept was lost or applied twice. The picture looks right in a window that adapts itself, and
        every fixed window and statistic is wrong.

    What to do:
        Compare Rescale Intercept with what the scanner writes in its other series, and correct it at the
        source; the shift tells by how much.

    Examples:
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(shifted_hounsfield, a_volume())
        []
        >>> issues_of(shifted_hounsfield, a_volume(a_volume().array + 1024))
        ['air is at about 24 HU: values are shifted by about 1024']
        >>> issues_of(shifted_hounsfield, a_volume(a_volume().array - 1024))
        ['air is at about -2024 HU: values are shifted by about -1024']

    References:
        DICOM PS3.3 C.11.1 Modality LUT Module: Rescale Intercept (0028,1052)
    """
    if volume.unit != "HU":
        return
    values = values_of(volume, _SAMPLE)
    if values.size == 0 or (_share(values, *_AIR) >= min_share and _share(values, *_TISSUE) >= _PLENTY):
        return
    levels, counts = levels_of(values)
    inside = (levels >= _LOW) & (levels <= _HIGH)
    histogram = np.zeros(_HIGH - _LOW + 1, np.int64)
    histogram[levels[inside] - _LOW] = counts[inside]
    air_hu = _air_of(histogram, min_share * values.size, min_shift_hu)
    if air_hu is not None and abs(air_hu + 1000) >= min_shift_hu:
        yield Issue(
            message=f"air is at about {air_hu} HU: values are shifted by about {air_hu + 1000}",
            measured=str(air_hu),
            expected="-1000",
            unit="HU",
        )


def _share(values: NDArray[np.int16], low: int, high: int) -> float:
    return int(np.count_nonzero((values >= low) & (values <= high))) / values.size


def _air_of(histogram: NDArray[np.int64], least: float, near: float) -> int | None:
    """Where the peak of air is, if one of soft tissue lies as far above it as it does in a body.

    Where that is true near -1000, that is where air is, whatever else would fit.
    """
    voxels, levels = _running(histogram), _running(histogram > 0)

    def between(
        low: NDArray[np.int64], high: NDArray[np.int64], sums: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        return np.asarray(sums[high - _LOW + 1] - sums[low - _LOW])

    air = np.arange(_LOW + _PEAK, _HIGH - 1500, _STEP)
    in_air = between(air - _PEAK // 2, air + _PEAK // 2, voxels)
    # fat to muscle: half of it in one peak, or more of it than to either side; bone has neither
    tissue = between(air + 850, air + 1150, voxels)
    peak = np.max([between(air + n, air + n + _PEAK, voxels) for n in range(850, 1100, 15)], axis=0)
    # padding is one number, air has noise
    is_noisy = between(air - 8, air + 8, levels) > _FEWEST
    beside = np.maximum(between(air + 550, air + 850, voxels), between(air + 1150, air + 1450, voxels))
    is_peak = (2 * peak >= tissue) | (2 * tissue >= 3 * beside)
    fits = (in_air >= least) & (tissue >= least) & is_peak & is_noisy
    if not fits.any() or fits[np.abs(air + 1000) < near].any():
        return None
    best = int(air[np.where(fits, np.minimum(in_air, tissue), -1).argmax()])
    around = np.arange(best - _PEAK // 2, best + _PEAK // 2 + 1)
    weights = histogram[around - _LOW]
    middle = np.searchsorted(np.cumsum(weights), weights.sum() / 2)
    return int(around[middle])


def _running(counts: NDArray[Any]) -> NDArray[np.int64]:
    """Sums from the first on, beginning with 0."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
