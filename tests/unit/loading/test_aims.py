"""What a loss may count, from the record of a case to the sample of a patch."""

from dataclasses import replace

import numpy as np
import pytest

from isocenter import dataset
from isocenter.base.errors import ConfigError
from isocenter.model.case import SHARE_UNIT
from isocenter.model.rows import LabelState
from isocenter.model.task import Task
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case


def states(tumour, node="negative"):
    return (LabelState(label="tumour", state=tumour, volume_ml=1.0), LabelState(label="node", state=node))


def plain(number=0, **changes):
    return replace(make_case(number), valid=None, **changes)


def store_of(folder, *cases, **changes):
    return Store(build(folder, [plain(0), plain(1), *cases], **changes))


def one(store, case_id, **more):
    data = dataset(store, "val", framework="numpy", normalise="none", **more)
    return next(s for s in (data[n] for n in range(len(data))) if s["case"] == case_id)


def test_all_is_known_where_all_labels_are(tmp_path):
    case = plain(2, labels=states("positive"))
    sample = one(store_of(tmp_path / "s", case), case.id)
    assert sample["loss_mask"].shape == sample["mask"].shape
    assert sample["loss_mask"].dtype == np.bool_
    assert sample["loss_mask"].all()


def test_padding_counts_in_no_loss(tmp_path):
    case = replace(make_case(2), labels=states("positive"))
    sample = one(store_of(tmp_path / "s", case), case.id)
    np.testing.assert_array_equal(sample["loss_mask"], sample["valid"])
    assert not sample["loss_mask"].all()


def test_beyond_the_volume_nothing_counts(tmp_path):
    case = plain(2, labels=states("positive"))
    sample = one(store_of(tmp_path / "s", case), case.id, patch=(16, 48, 48))
    assert sample["loss_mask"].sum() == case.image[0].size


@pytest.mark.parametrize("state", ["unknown", "failed"])
def test_background_of_an_unannotated_label_is_never_counted(tmp_path, state):
    case = plain(2, labels=states("positive", state))
    sample = one(store_of(tmp_path / "s", case), case.id)
    # whoever has no node drawn may have one anywhere, on the tumour too: nodes are written over it
    assert not sample["loss_mask"][sample["mask"] != 2].any()
    case = plain(2, labels=states(state, "positive"))
    case.mask[case.mask == 1] = 0
    sample = one(store_of(tmp_path / "t", case), case.id)
    np.testing.assert_array_equal(sample["loss_mask"], sample["mask"] == 2)


def test_a_label_known_on_some_slices(tmp_path):
    known = np.zeros((12, 40, 36), bool)
    known[2:4] = True
    case = plain(2, labels=states("partial"), known={"tumour": known})
    store = store_of(tmp_path / "s", case)
    sample = one(store, case.id)
    np.testing.assert_array_equal(sample["loss_mask"], known | (sample["mask"] >= 1))
    assert sample["labels"].tolist() == [1, 0]
    patch = one(store, case.id, patch=(4, 16, 16), sampler="grid")
    assert patch["loss_mask"].shape == (4, 16, 16)


def test_a_plane_for_each_label(tmp_path):
    known = np.zeros((12, 40, 36), bool)
    known[2:4] = True
    case = plain(2, labels=states("partial", "unknown"), known={"tumour": known})
    sample = one(store_of(tmp_path / "s", case), case.id, loss_mask="label")
    np.testing.assert_array_equal(sample["loss_mask"][0], known | (sample["mask"] == 1))
    np.testing.assert_array_equal(sample["loss_mask"][1], sample["mask"] == 2)


def test_boxes_have_a_loss_mask_and_classes_none(tmp_path):
    case = plain(2, labels=states("positive", "unknown"))
    sample = one(store_of(tmp_path / "s", case, task=Task.DETECTION), case.id)
    assert not sample["loss_mask"].any()
    assert "loss_mask" not in one(store_of(tmp_path / "c", case, task=Task.CLASSIFICATION), case.id)


def test_shares_and_masks_where_there_are_none(tmp_path):
    shares = np.zeros((12, 40, 36), np.uint16)
    shares[2:6, 10:20, 12:18] = round(SHARE_UNIT / 3)
    case = plain(2, labels=states("positive"), shares={"tumour": shares})
    store = store_of(tmp_path / "s", case)
    assert "soft" not in one(store, case.id)
    soft = one(store, case.id, soft=True)["soft"]
    assert soft.dtype == np.float32
    np.testing.assert_allclose(soft[0], np.where(shares, 1 / 3, 0), atol=1e-5)
    np.testing.assert_array_equal(soft[1], case.mask == 2)


def test_instances_and_the_boxes_that_are_theirs(tmp_path):
    instances = np.zeros((12, 40, 36), np.uint16)
    instances[2:6, 10:20, 12:18], instances[10, 38, 34] = 1, 2
    boxes = np.array([[2, 10, 12, 6, 20, 18], [10, 38, 34, 11, 39, 35]], np.int32)
    case = plain(
        2, instances=instances, boxes_voxel=boxes, boxes=np.zeros((2, 6)), box_labels=("tumour", "node")
    )
    store = store_of(tmp_path / "s", case)
    data = dataset(store, "val", framework="numpy", normalise="none", patch=(12, 20, 18), sampler="grid")
    met = []
    for sample in (data[n] for n in range(len(data))):
        if sample["case"] == case.id:
            for number, box in zip(sample["box_numbers"], sample["boxes_voxel"], strict=True):
                k, j, i = np.nonzero(sample["instances"] == number)
                assert (k.min(), j.min(), i.min()) == tuple(box[:3])
                met.append(int(number))
    assert set(met) == {1, 2}


def test_turned_and_mirrored_with_the_image(tmp_path):
    known = np.zeros((12, 40, 36), bool)
    known[2:4] = True
    case = plain(0, labels=states("partial"), known={"tumour": known})
    store = Store(build(tmp_path / "s", [case, plain(2)]))
    more = {"framework": "numpy", "patch": (8, 24, 24), "normalise": "none"}
    augment = {"mirror": ["R", "A", "S"], "rotation_deg": 10, "side_symmetric": True}
    data = dataset(store, "train", augment=augment, **more)
    counts = set()
    for epoch in range(8):
        data.set_epoch(epoch)
        sample = data[0]
        assert (sample["loss_mask"] <= sample["valid"]).all()
        # what is marked moves as what is known of it does
        assert (sample["loss_mask"] | ~sample["valid"])[sample["mask"] == 1].all()
        counts.add(int(sample["loss_mask"].sum()))
    assert len(counts) > 1


def test_words_that_are_none(store):
    with pytest.raises(ConfigError, match="loss_mask"):
        dataset(store, "train", loss_mask="case", framework="numpy")


def test_shares_are_of_segmentations(tmp_path):
    with pytest.raises(ConfigError, match="soft"):
        dataset(store_of(tmp_path / "s", task=Task.DETECTION), "train", soft=True, framework="numpy")
