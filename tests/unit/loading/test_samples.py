import pickle
from dataclasses import replace

import numpy as np
import pytest

from isocenter.loading.dataset import dataset
from isocenter.loading.reading import Box
from isocenter.loading.sampler import Grid, LabelCentred, Weighted
from isocenter.model.case import Marks
from isocenter.model.rows import LabelState
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
    assert len(data.samples._recent) == 1
    assert len(back.samples._recent) == 0
    np.testing.assert_array_equal(back[0]["image"], sample["image"])
    assert back[-4]["case"] == sample["case"]


@pytest.mark.parametrize(
    ("patch", "axis", "expected"), [("axial", 0, (1, 40, 36)), ("coronal", 1, (12, 1, 36)), ((None, None, 1), 2, (12, 40, 1))]
)  # fmt: skip
def test_a_grid_of_slices_gives_every_slice_once(store, whole, patch, axis, expected):
    data = make(store, patch=patch, sampler="grid", normalise="none")
    assert len(data) == 4 * (12, 40, 36)[axis]
    seen = []
    for index in range(0, len(data), 7):
        sample = data[index]
        assert sample["mask"].shape == expected
        at = int(sample["start"][axis])
        image, _ = whole(int(sample["case"][-1]))
        np.testing.assert_array_equal(sample["image"], np.take(image, [at], axis + 1))
        assert not np.delete(sample["start"], axis).any()
        seen.append((sample["case"], at))
    assert len(set(seen)) == len(seen)


def test_slices_are_drawn_around_a_label(store):
    data = make(store, patch=(1, None, None), per_case=10, sampler=LabelCentred(share=1))
    found = [data[n] for n in range(len(data))]
    assert all(s["mask"].any() and s["image"].shape == (1, 1, 40, 36) for s in found)
    assert {int(s["start"][0]) for s in found} == {2, 3, 4, 5}


def test_slices_of_volumes_of_several_sizes_have_their_own(uneven):
    data = make(uneven, patch="axial", sampler="grid")
    shapes = {data[n]["case"]: data[n]["mask"].shape for n in range(len(data))}
    assert shapes == {"case-0000": (1, 40, 36), "case-0001": (1, 34, 30)}
    assert len(data) == 12 + 10
    assert [data.samples.case_at(n) for n in (0, 11, 12, 21)] == [0, 0, 1, 1]


def test_a_radiograph_is_a_volume_of_one_slice(tmp_path):
    cases = [make_case(n, shape=(1, 40, 36)) for n in range(2)]
    cases = [replace(c, mask=c.image[0].astype(np.uint8) % 2, boxes_voxel=np.array([[0, 5, 6, 1, 9, 9]], np.int32)) for c in cases]  # fmt: skip
    store = Store(build(tmp_path / "s", cases))
    assert make(store, patch=(1, 16, 16))[0]["image"].shape == (1, 1, 16, 16)
    sample = make(store, patch=None)[1]
    assert sample["image"].shape == (1, 1, 40, 36)
    np.testing.assert_array_equal(sample["mask"], cases[1].mask)


def label_only(state):
    case = make_case(0)
    labels = (LabelState(label="tumour", state=state), LabelState(label="node", state="negative"))
    return replace(case, mask=None, raters={}, labels=labels, boxes=np.zeros((0, 6)), boxes_voxel=np.zeros((0, 6), np.int32), box_labels=())  # fmt: skip


@pytest.mark.parametrize(("state", "is_known"), [("positive", False), ("negative", True), ("unknown", False)])
def test_a_case_with_labels_and_no_mask_teaches_only_what_it_knows(tmp_path, state, is_known):
    """A tumour that is somewhere and drawn nowhere is background nowhere; one that is not there is, everywhere."""
    store = Store(build(tmp_path / "s", [label_only(state)], shards=1))
    sample = make(store, patch=(4, 8, 8), loss_mask="label", seed=2)[0]
    assert (sample["mask"].dtype, sample["mask"].shape, sample["mask"].any()) == (np.uint8, (4, 8, 8), False)
    np.testing.assert_array_equal(sample["loss_mask"][0], sample["valid"] & is_known)
    np.testing.assert_array_equal(sample["loss_mask"][1], sample["valid"])
    plain = make(store, patch=(4, 8, 8), seed=2)[0]
    np.testing.assert_array_equal(plain["loss_mask"], plain["valid"] & is_known)


def test_label_only_cases_of_a_classification_need_no_mask(tmp_path):
    store = Store(build(tmp_path / "s", [label_only("negative")], shards=1, task=Task.CLASSIFICATION))
    sample = make(store)[0]
    assert sample["labels"].tolist() == [0, 0]
    assert not {"mask", "loss_mask"} & sample.keys()


@pytest.mark.parametrize("least", [0.3, 1.0])
def test_boxes_of_which_too_little_is_in_the_patch_are_left_out(store, least):
    options = {"per_case": 30, "seed": 1}
    every, some = make(store, **options), make(store, least_box_share=least, **options)
    kept = 0
    for index in range(len(every)):
        shares = every[index]["box_shares"]
        np.testing.assert_array_equal(some[index]["box_shares"], shares[shares >= least])
        kept += len(some[index]["boxes"])
    assert 0 < kept < sum(len(every[n]["boxes"]) for n in range(len(every)))


def test_patches_go_where_a_map_has_weight(store):
    data = make(store, patch=(1, 1, 1), per_case=100, sampler=Weighted(map="mask:node"))
    samples = [data[n] for n in range(len(data))]
    assert all((s["mask"] == 2).all() and s["sampler"] == "map" for s in samples)
    assert len({(s["case"], *s["start"].tolist()) for s in samples}) > 40  # of 4 x 12 voxels


def test_weights_of_labels_decide_how_often_each_is_seen(store):
    sampler = Weighted(labels={"node": 3, "tumour": 1, "background": 1})
    data = make(store, patch=(1, 1, 1), per_case=500, sampler=sampler)
    values = np.array(
        [(data[n]["mask"].item(), data[n]["sampler"] == "label") for n in range(0, len(data), 2)]
    )
    drawn = values[values[:, 1] == 1, 0]
    assert abs(len(drawn) / len(values) - 0.8) < 0.05
    assert abs((drawn == 2).mean() - 0.75) < 0.06


def test_what_is_read_is_compared_as_a_whole_when_it_is_read_first(store, tmp_path):
    """A patch beside a change that the check sum of no chunk that it touches could show."""
    data = make(Store(store.path, verify="read"), patch=(1, 2, 2))
    assert data[0]["case"] == "case-0000"
    reader = data.samples.store._handles.reader(store.path / "shards/00001.h5")
    digests = dict(reader.meta("case-0001")["digests"])
    digests["mask"] = "0" * 32
    reader.meta = lambda case_id: {**type(reader).meta(reader, case_id), "digests": digests}
    with pytest.raises(RuntimeError, match="case-0001 mask is not what was sealed"):
        data[1]
    assert make(store, patch=(1, 2, 2))[1]["case"] == "case-0001"


def break_shard(store, number):
    shard = store.path / f"shards/{number:05}.h5"
    shard.write_bytes(shard.read_bytes()[:2000])


def test_a_sample_that_cannot_be_read_gives_its_place_to_another_and_is_told(store):
    data = make(store, per_case=3, errors="skip")
    assert [data[n]["instead_of"] for n in range(12)] == [-1] * 12
    store.close()
    data = make(store, per_case=3, errors="skip")
    break_shard(store, 0)
    samples = [data[n] for n in range(12)]
    assert {s["case"] for s in samples} == {"case-0001", "case-0005"}
    told = [n for n, s in enumerate(samples) if s["instead_of"] == n]
    assert told == [0, 1, 2, 6, 7, 8]
    assert {s.case for s in data.skipped} == {"case-0000", "case-0004"}
    assert {s.index for s in data.skipped} >= {0, 1, 2, 6, 7, 8}
    assert all(str(store.path) not in s.reason and s.reason for s in data.skipped)
    again = make(store, per_case=3, errors="skip")
    np.testing.assert_array_equal(again[1]["image"], samples[1]["image"])


def test_no_more_cases_are_skipped_than_were_allowed(store):
    data = make(store, errors="skip", most_skipped=1)
    break_shard(store, 0)
    with pytest.raises(
        RuntimeError, match="more than 1 cases cannot be read; the last one was case case-000"
    ):
        [data[n] for n in range(4)]


def test_where_nothing_can_be_read_it_ends(store):
    data = make(store, errors="skip")
    for number in (0, 1):
        break_shard(store, number)
    with pytest.raises(RuntimeError, match="100 samples in its place cannot be read either"):
        data[0]


def test_a_bug_is_never_skipped(store, monkeypatch):
    data = make(store, errors="skip")
    monkeypatch.setattr(data.samples.store, "arrays", lambda *_, **__: 1 / 0)
    with pytest.raises(RuntimeError, match="case case-0000: ZeroDivisionError"):
        data[0]
    assert data.skipped == ()


def test_points_are_those_in_the_patch_and_say_where(tmp_path):
    """Points just inside and just outside every border of the patch."""
    case = make_case(0)
    start, size = np.array([2, 12, 11]), np.array([6, 16, 16])
    near = [start + size / 2]
    for axis in range(3):
        for edge, step in ((start[axis] - 0.5, 0.01), (start[axis] + size[axis] - 0.5, -0.01)):
            for side in (step, -step):
                voxel = start + size / 2
                voxel[axis] = edge + side
                near.append(voxel)
    voxels = np.array(near)
    where = np.column_stack([case.grid.to_world(voxels[:, ::-1]), np.arange(13.0)])
    names = ("tumour", *["node"] * 12)
    store = Store(build(tmp_path / "s", [replace(case, rater_points=Marks(raters=("a",) * 13, labels=names, where=where))]))  # fmt: skip
    data = make(store, points=True)
    data.samples._place = lambda *_: (Box(start=tuple(start.tolist()), size=(6, 16, 16)), "here")
    sample = data[0]
    assert sample["point_diameters_mm"].tolist() == [0, 1, 3, 5, 7, 9, 11]
    np.testing.assert_allclose(sample["points_voxel"], voxels[[0, 1, 3, 5, 7, 9, 11]] - start, atol=1e-9)
    np.testing.assert_allclose(sample["points"], where[[0, 1, 3, 5, 7, 9, 11], :3])
    assert sample["point_labels"].tolist() == [1, 2, 2, 2, 2, 2, 2]
    assert not any(name.startswith("point") for name in make(store)[0])
