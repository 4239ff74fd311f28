import pickle

import numpy as np
import pytest

from isocenter.loading.dataset import dataset
from isocenter.loading.sampler import Grid, LabelCentred
from isocenter.model.task import Task
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

LUNG = (-600, 1500)


def windowed(array):
    return np.clip((array.astype(np.float64) + 600) / 1500 + 0.5, 0, 1)


def make(store, partition="train", **options):
    options = {"patch": (6, 16, 16), "framework": "numpy", **options}
    return dataset(store, partition, **options)


def test_a_patch_is_a_window_on_the_stored_case(store, whole):
    data = make(store, per_case=5, sampler="label")
    assert len(data) == 20
    for index in range(20):
        sample = data[index]
        number = int(sample["case"][-1])
        image, mask = whole(number)
        k, j, i = sample["start"]
        where = (slice(k, k + 6), slice(j, j + 16), slice(i, i + 16))
        np.testing.assert_allclose(sample["image"][0], windowed(image[0][where]), atol=1e-6)
        np.testing.assert_array_equal(sample["mask"], mask[where])
        assert sample["image"].dtype == np.float32
        assert sample["mask"].dtype == np.uint8
        assert sample["valid"].all() == (k > 0)
        assert sample["subject"] == f"subject-{number // 2}"
        assert sample["labels"].tolist() == [1, -1]
        assert sample["present"].tolist() == [True]
        assert not sample["padding"].any()


def test_the_affine_is_that_of_the_patch(store):
    sample = make(store)[0]
    grid = store[sample["case"]].grid
    corner = sample["affine"] @ [0, 0, 0, 1]
    np.testing.assert_allclose(corner[:3], grid.to_world(sample["start"][None, ::-1].astype(float))[0])
    np.testing.assert_array_equal(sample["affine"][:3, :3], grid.affine[:3, :3])


def test_boxes_are_moved_cut_and_their_share_is_told(store):
    data = make(store, per_case=40, seed=1)
    seen = set()
    for index in range(160):
        sample = data[index]
        low, high = np.array([2, 10, 12]) - sample["start"], np.array([6, 20, 18]) - sample["start"]
        inside = np.clip(high, 0, (6, 16, 16)) - np.clip(low, 0, (6, 16, 16))
        share = inside.clip(0).prod() / (4 * 10 * 6)
        assert len(sample["boxes"]) == (share > 0)
        if share:
            assert sample["box_shares"][0] == pytest.approx(share)
            assert sample["boxes_voxel"][0].tolist() == [*low.clip(0), *np.minimum(high, (6, 16, 16))]
            assert sample["boxes"][0].tolist() == [-70, 20, -295, -64, 28, -285]
            assert sample["box_labels"].tolist() == [1]
        seen.add(share == 1)
    assert seen == {True, False}


def test_a_patch_larger_than_the_volume_is_padded_evenly_with_background(uneven, whole):
    data = make(uneven, patch=(20, 40, 41), normalise="none")
    sample = next(data[n] for n in range(len(data)) if data[n]["case"] == "case-0001")
    image, mask = whole(1, shape=(10, 34, 30))
    assert sample["start"].tolist() == [-5, -3, -5]
    assert sample["padding"].tolist() == [[5, 5], [3, 3], [5, 6]]
    expected = np.pad(image[0], sample["padding"], constant_values=-1000)
    np.testing.assert_array_equal(sample["image"][0], expected)
    np.testing.assert_array_equal(sample["mask"], np.pad(mask, sample["padding"]))
    np.testing.assert_array_equal(sample["valid"], np.pad(np.ones((10, 34, 30), bool), sample["padding"]))
    corner = sample["affine"] @ [5, 3, 5, 1]
    np.testing.assert_allclose(corner[:3], uneven["case-0001"].grid.affine[:3, 3])


def test_a_grid_gives_every_voxel_back(uneven, whole):
    shapes = [(12, 40, 36), (10, 34, 30)]
    data = make(uneven, "train", sampler=Grid(overlap=(1, 2, 3)), normalise="none")
    out = {f"case-{n:04x}": np.full(s, -9999.0) for n, s in enumerate(shapes)}
    for index in range(len(data)):
        sample = data[index]
        k, j, i = sample["start"]
        out[sample["case"]][k : k + 6, j : j + 16, i : i + 16] = sample["image"][0]
    for number, shape in enumerate(shapes):
        np.testing.assert_array_equal(out[f"case-{number:04x}"], whole(number, shape=shape)[0][0])


def test_whole_volumes(store, whole):
    sample = make(store, patch=None, normalise="none")[3]
    np.testing.assert_array_equal(sample["image"], whole(5)[0])
    assert sample["sampler"] == "whole"
    assert sample["start"].tolist() == [0, 0, 0]


def test_a_missing_channel_is_background_and_told(two_channels):
    data = make(two_channels, channels=("pet", "ct"))
    present = {data[n]["case"]: data[n]["present"].tolist() for n in range(2)}
    assert present == {"case-0000": [True, True], "case-0001": [False, True]}
    assert data.samples.channel_names == ("pet", "ct:lung")
    assert (data[1]["image"][0] == 0).all()
    assert data[0]["image"][0].std() > 0.5


def test_masks_belong_to_segmentation(tmp_path):
    store = Store(build(tmp_path / "s", [make_case(n) for n in range(2)], task=Task.DETECTION))
    assert "mask" not in make(store)[0]
    assert "mask" in make(Store(build(tmp_path / "t", [make_case(n) for n in range(2)])))[0]


def test_draws_depend_on_seed_epoch_and_index_and_on_nothing_else(store):
    data = make(store, per_case=48, sampler=LabelCentred(share=0.3), patch=(3, 5, 4))
    starts = [(s["case"], *s["start"].tolist()) for s in (data[n] for n in range(192))]
    backwards = [(s["case"], *s["start"].tolist()) for s in (data[n] for n in reversed(range(192)))]
    assert starts == backwards[::-1]
    data.set_epoch(1)
    other = [tuple(data[n]["start"].tolist()) for n in range(192)]
    assert sum(a[1:] == b for a, b in zip(starts, other, strict=True)) < 5
    again = [tuple(make(store, per_case=48, patch=(3, 5, 4), seed=9)[n]["start"]) for n in range(192)]
    assert sum(a[1:] == b for a, b in zip(starts, again, strict=True)) < 5


def test_all_192_draws_differ(store):
    data = make(store, per_case=48, patch=(2, 3, 4), augment={"rotation_deg": 10, "noise_sigma": 0.01})
    drawn = {
        (s["case"], *s["start"].tolist(), str(s["augmentation"])) for s in map(data.__getitem__, range(192))
    }
    assert len(drawn) == 192
    keys = {data[n]["augmentation"]["noise"]["key"] for n in range(192)}
    assert len(keys) == 192


def test_a_turned_patch_is_filled_from_around_it(store):
    """A patch well inside a volume has no corner of background after it was turned."""
    options = {"patch": (2, 16, 16), "normalise": "zscore", "per_case": 30, "seed": 3}
    data = make(store, augment={"rotation_deg": 10}, **options)
    inner = 0
    for index in range(len(data)):
        sample = data[index]
        k, j, i = sample["start"]
        if k >= 1 and 4 <= j <= 20 and 4 <= i <= 16:
            inner += 1
            assert sample["valid"].all()
            assert sample["image"].shape == (1, 2, 16, 16)
            assert set(sample["augmentation"]) == {"rotation"}
    assert inner > 10


def test_a_mirrored_patch_keeps_boxes_on_their_lesion(store):
    data = make(
        store, per_case=20, sampler=LabelCentred(share=1), augment={"mirror": ("R",), "side_symmetric": True}
    )
    mirrored = 0
    for index in range(len(data)):
        sample = data[index]
        mirrored += bool(sample["augmentation"]["mirror"]["axes"])
        for box in sample["boxes_voxel"]:
            found = np.argwhere(sample["mask"] == 1)
            assert found.min(axis=0).tolist() == box[:3].tolist()
            assert (found.max(axis=0) + 1).tolist() == box[3:].tolist()
    assert 20 < mirrored < 60


def test_an_error_is_plain_and_names_the_case_and_no_path(store):
    data = make(store)
    shard = store.path / "shards/00000.h5"
    shard.write_bytes(shard.read_bytes()[:2000])
    with pytest.raises(RuntimeError, match="case-0000") as error:
        data[0]
    assert type(error.value) is RuntimeError
    assert str(store.path) not in str(error.value)
    pickle.loads(pickle.dumps(error.value))
    with pytest.raises(IndexError):
        data[4]


def test_it_travels_without_handles_and_facts(store):
    data = make(store)
    sample = data[0]
    back = pickle.loads(pickle.dumps(data))
    assert back.samples._known == {}
    np.testing.assert_array_equal(back[0]["image"], sample["image"])
    assert back[-4]["case"] == sample["case"]
