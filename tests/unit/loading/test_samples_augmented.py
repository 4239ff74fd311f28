from dataclasses import replace

import numpy as np
import pytest

from isocenter.augment.policy import Policy
from isocenter.base.errors import ConfigError
from isocenter.loading.dataset import dataset
from isocenter.model.case import Marks
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


def test_a_channel_that_a_case_lacks_stays_background(tmp_path):
    """Neither contrast nor noise makes anything of what is not there."""
    cases = [make_case(0, channels=("ct", "mr")), make_case(1)]
    store = Store(build(tmp_path / "s", cases, shards=1))
    options = {"patch": (12, 40, 36), "per_case": 6, "framework": "numpy"}
    data = dataset(store, "train", augment={"contrast": 0.15, "noise_sigma": 0.01}, **options)
    plain = dataset(store, "train", **options)
    lacking = 0
    for index in range(12):
        sample, before = data[index], plain[index]
        changed = (sample["image"] != before["image"]).reshape(2, -1).any(axis=1)
        np.testing.assert_array_equal(changed, sample["present"])
        lacking += not sample["present"].all()
    assert lacking == 6


def test_on_a_grid_too_oblique_to_be_mirrored_points_keep_their_names(tmp_path):
    case = make_case(0, shape=(12, 60, 56))
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack([[1, 1, 1], [-1, 1, 0], [1, 1, -2]]) / np.sqrt([3, 2, 6])
    marks = Marks(raters=("a",), labels=("tumour",), where=np.array([[*affine[:3, :3] @ [28, 30, 6], 5.0]]))
    case = replace(case, grid=replace(case.grid, affine=affine), rater_points=marks)
    store = Store(build(tmp_path / "s", [case], shards=1))
    policy = Policy(mirror=("R",), side_symmetric=True, swap={"tumour": "node"})
    options = {"patch": (12, 60, 56), "per_case": 20, "framework": "numpy", "points": True}
    data, plain = dataset(store, "train", augment=policy, **options), dataset(store, "train", **options)
    assert {len(data[n]["augmentation"]["mirror"]["axes"]) for n in range(20)} == {0, 1}
    for index in range(20):
        for name in ("image", "mask", "points", "point_labels"):
            np.testing.assert_array_equal(data[index][name], plain[index][name])


def test_a_single_slice_is_bent_in_its_plane_only(tmp_path):
    store = Store(build(tmp_path / "s", [make_case(0, shape=(1, 40, 36))], shards=1))
    with pytest.raises(ConfigError, match="elastic_in_plane"):
        dataset(store, "train", augment=Policy(elastic_mm=3), framework="numpy")
    policy = Policy(elastic_mm=3, elastic_in_plane=True)
    data = dataset(store, "train", patch=(1, 16, 16), augment=policy, framework="numpy")
    assert data[0]["image"].shape == (1, 1, 16, 16)


def test_points_go_where_what_they_mark_goes(tmp_path):
    """A small block is around each point; wherever both come to lie, the point is in its middle."""
    case = make_case(0, shape=(12, 60, 56))
    mask = np.zeros_like(case.mask)
    middles = np.array([[6.0, 30, 28], [5.0, 20, 36]])
    for value, (k, j, i) in enumerate(middles.astype(int), 1):
        mask[k - 1 : k + 2, j - 2 : j + 3, i - 2 : i + 3] = value
    where = np.column_stack([case.grid.to_world(middles[:, ::-1]), [5.0, 6.0]])
    marks = Marks(raters=("a", "a"), labels=("tumour", "node"), where=where)
    store = Store(build(tmp_path / "s", [replace(case, mask=mask, rater_points=marks)], shards=1))
    policy = replace(EVERYTHING, mirror=("R", "A"))
    data = dataset(
        store, "train", patch=(12, 48, 48), per_case=30, augment=policy, framework="numpy", points=True
    )
    seen, moved = 0, 0.0
    for index in range(30):
        sample = data[index]
        for value, voxel in zip(sample["point_labels"], sample["points_voxel"], strict=True):
            block = np.argwhere(sample["mask"] == value)
            if len(block) < 60:  # part of it is outside
                continue
            seen += 1
            np.testing.assert_allclose(block.mean(axis=0), voxel, atol=0.7)
            before = middles[value - 1] - sample["start"]
            moved = max(moved, float(np.abs(voxel - before).max()))
        voxels = sample["points_voxel"][:, ::-1]
        np.testing.assert_allclose(
            voxels @ sample["affine"][:3, :3].T + sample["affine"][:3, 3], sample["points"]
        )
    assert seen > 30
    assert moved > 5
