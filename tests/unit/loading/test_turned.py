import numpy as np

from isocenter.loading.turned import turned


def sample(**more):
    return {
        "image": np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5),
        "mask": np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5),
        "start": np.array([7, 8, 9]),
        "padding": np.array([[1, 2], [3, 4], [5, 6]], np.int32),
        "boxes": np.array([[0.0, 1, 2, 3, 4, 5]]),
        "boxes_voxel": np.array([[1, 2, 3, 10, 20, 30]], np.int32),
        "case": "case-1",
    } | more


def test_volumes_are_views_with_a_channel_and_i_first():
    before = sample()
    after = turned(before)
    assert after["image"].shape == (2, 5, 4, 3)
    assert after["mask"].shape == (1, 5, 4, 3)
    for c, k, j, i in ((0, 0, 0, 0), (1, 2, 3, 4), (0, 2, 0, 1)):
        assert after["image"][c, i, j, k] == before["image"][c, k, j, i]
        assert after["mask"][0, i, j, k] == before["mask"][k, j, i]
    assert np.shares_memory(after["image"], before["image"])
    assert np.shares_memory(after["mask"], before["mask"])


def test_masks_of_several_labels_keep_their_planes():
    planes = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    after = turned(sample(mask=planes))
    assert after["mask"].shape == (2, 5, 4, 3)
    assert after["mask"][1, 4, 3, 2] == planes[1, 2, 3, 4]


def test_what_counts_voxels_is_turned_and_millimetres_are_not():
    after = turned(sample(points_voxel=np.array([[1.5, 2, 3], [4, 5, 6]])))
    assert after["points_voxel"].tolist() == [[3, 2, 1.5], [6, 5, 4]]
    assert "points_voxel" not in turned(sample())
    assert after["start"].tolist() == [9, 8, 7]
    assert after["padding"].tolist() == [[5, 6], [3, 4], [1, 2]]
    assert after["boxes_voxel"].tolist() == [[3, 2, 1, 30, 20, 10]]
    assert after["boxes"].tolist() == [[0, 1, 2, 3, 4, 5]]
    assert after["case"] == "case-1"


def test_what_is_turned_is_left_as_it_was():
    before = sample()
    turned(before)
    assert before["start"].tolist() == [7, 8, 9]
    assert before["mask"].shape == (3, 4, 5)
