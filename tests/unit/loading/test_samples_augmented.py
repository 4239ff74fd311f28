from dataclasses import replace

import numpy as np
import pytest

from isocenter.augment.policy import Policy
from isocenter.base.errors import ConfigError
from isocenter.loading.dataset import dataset
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

EVERYTHING = Policy(
    rotation_deg=10,
    rotation_axes=("S",),
    mirror=("R", "A"),
    side_symmetric=True,
    elastic_mm=1.5,
    elastic_cell_mm=20,
    contrast=0.15,
    noise_sigma=0.01,
)


def test_a_patch_with_everything_is_filled_from_around_it_and_replays(tmp_path):
    cases = [make_case(n, shape=(24, 60, 56)) for n in range(2)]
    cases = [replace(c, valid=None, mask=c.mask * 0) for c in cases]
    store = Store(build(tmp_path / "s", cases, shards=1))
    options = {"patch": (6, 16, 16), "per_case": 40, "augment": EVERYTHING, "framework": "numpy", "seed": 4}
    data, again = dataset(store, "train", **options), dataset(store, "train", **options)
    inner = 0
    for index in range(len(data)):
        sample, same = data[index], again[index]
        for name, value in sample.items():
            np.testing.assert_array_equal(value, same[name])
        start = sample["start"]
        assert sample["image"].shape == (1, 6, 16, 16)
        if (start >= [2, 8, 8]).all() and (start <= [24 - 8, 60 - 24, 56 - 24]).all():
            inner += 1
            assert sample["valid"].all()
    assert inner > 10
    assert len({str(data[n]["augmentation"]) for n in range(len(data))}) == len(data)


def test_noise_of_mr_is_that_of_a_magnitude(tmp_path):
    """No voxel gets darker than no signal is, and voxels without signal get brighter."""
    case = make_case(0, channels=("mr",))
    image = np.abs(case.image)
    image[:, :, :20] = 0
    store = Store(build(tmp_path / "s", [replace(case, image=image)], shards=1))
    options = {"normalise": "zscore", "framework": "numpy", "patch": (6, 16, 16), "per_case": 20}
    plain = dataset(store, "train", **options)
    noisy = dataset(store, "train", augment={"noise_sigma": 0.01}, **options)
    gaussian = dataset(store, "train", augment={"noise_sigma": 0.01, "noise_law": "gaussian"}, **options)
    dark, below = 0, 0
    for index in range(20):
        clean, rician, other = (d[index]["image"] for d in (plain, noisy, gaussian))
        is_dark = clean == clean.min()
        if is_dark.sum() > 100:
            dark += 1
            assert (rician[is_dark] >= clean.min() - 1e-5).all()
            assert rician[is_dark].mean() > clean.min()
            below += bool((other[is_dark] < clean.min() - 1e-5).any())
    assert dark > 5
    assert below == dark


def test_a_single_slice_is_bent_in_its_plane_only(tmp_path):
    store = Store(build(tmp_path / "s", [make_case(0, shape=(1, 40, 36))], shards=1))
    with pytest.raises(ConfigError, match="elastic_in_plane"):
        dataset(store, "train", augment=Policy(elastic_mm=3), framework="numpy")
    policy = Policy(elastic_mm=3, elastic_in_plane=True)
    data = dataset(store, "train", patch=(1, 16, 16), augment=policy, framework="numpy")
    assert data[0]["image"].shape == (1, 1, 16, 16)
