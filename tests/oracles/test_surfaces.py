"""Surfaces against DeepMind's surface-distance 0.1: its numbers for the same masks."""

import numpy as np
import pytest

from isocenter.agreement.surfaces import surface_distances

# seed, spacing in mm, HD95, Hausdorff distance, surface Dice at 1 mm, area (or length) of the first surface
PUBLISHED = [
    (0, (1, 1, 1), 8.774964387392123, 10.246950765959598, 0.17055937661724108, 238.09321548479818),
    (1, (2.5, 0.7, 0.8), 3.687817782917155, 5.852349955359813, 0.4042834784477871, 808.0291769274777),
    (2, (0.5, 1.2, 1.1), 4.428317965096906, 5.846366392897386, 0.44390587880518173, 109.16245995312215),
    (3, (3, 0.9, 0.9), 6.177378084592201, 7.206247289678588, 0.30723197556760395, 698.1357395925177),
    (4, (1.5, 1.5, 0.4), 7.365459931328117, 8.631338250816034, 0.1968357682541024, 181.3849931027513),
    (5, (5, 0.6, 0.6), 3.8418745424597094, 4.686149805543993, 0.4140610820003783, 452.2100169261294),
    (6, (0.7, 0.8), 7.37563556583431, 7.9202272694664515, 0.24117620276454785, 39.060291625469304),
    (7, (1, 2), 9.0, 10.0, 0.38813978669926963, 130.60990336999413),
]


def blobs(seed: int, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Two masks of three balls each."""
    random = np.random.default_rng(seed)
    axes = np.indices(shape)
    out = []
    for _ in range(2):
        mask = np.zeros(shape, bool)
        for _ in range(3):
            centre, radius = random.uniform(0.2, 0.8, len(shape)) * shape, random.uniform(1.5, 5)
            mask |= sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)) < radius**2
        out.append(mask)
    return out


@pytest.mark.parametrize(("seed", "spacing", "hd95", "largest", "dice", "area"), PUBLISHED)
def test_equal(seed: int, spacing, hd95: float, largest: float, dice: float, area: float) -> None:
    is_plane = len(spacing) == 2
    masks = blobs(seed, (30, 28) if is_plane else (9, 20, 22))
    if is_plane:
        masks, spacing = [mask[np.newaxis] for mask in masks], (7.0, *spacing)
    found = surface_distances(*masks, spacing)
    assert found.hausdorff_mm() == pytest.approx(hd95, abs=1e-12)
    assert found.hausdorff_mm(1.0) == pytest.approx(largest, abs=1e-12)
    assert found.dice(1.0) == pytest.approx(dice, abs=1e-12)
    assert found.areas[0].sum() == pytest.approx(area, rel=1e-12)
