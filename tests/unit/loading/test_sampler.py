import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.base import seeds
from isocenter.base.errors import ConfigError
from isocenter.loading.sampler import (
    Grid,
    LabelCentred,
    Targets,
    Uniform,
    Weighted,
    counts_on_grid,
    draw,
    place_on_grid,
    sampler_of,
    starts_on_grid,
)

SHAPE, PATCH = (10, 30, 20), (4, 8, 8)
NOTHING = Targets(voxels=np.zeros((0, 4), np.int32), boxes=np.zeros((0, 6), np.int32))
VOXELS = Targets(voxels=np.array([[1, 5, 15, 10]] * 30 + [[2, 0, 29, 19]], np.int32), boxes=NOTHING.boxes)
BOXES = Targets(voxels=NOTHING.voxels, boxes=np.array([[5, 15, 10, 6, 16, 11]], np.int32))


def many(sampler, targets=NOTHING, shape=SHAPE, count=2000):
    return [draw(sampler, seeds.stream(n, "x"), shape, PATCH, lambda: targets) for n in range(count)]


def test_uniform_reaches_every_place_equally():
    starts = np.array([start for start, _ in many(Uniform())])
    assert starts.min(axis=0).tolist() == [0, 0, 0]
    assert starts.max(axis=0).tolist() == [6, 22, 12]
    counts = np.bincount(starts[:, 0])
    assert counts.min() > 0.8 * 2000 / 7
    assert {how for _, how in many(Uniform())} == {"uniform"}


def test_a_patch_larger_than_the_volume_has_it_in_the_middle():
    starts = {start for start, _ in many(Uniform(), shape=(1, 8, 5), count=20)}
    assert starts == {(-1, 0, -1)}


def test_a_share_is_centred_on_a_labelled_voxel_each_label_alike():
    drawn = many(LabelCentred(share=0.4), VOXELS)
    labelled = [start for start, how in drawn if how == "label"]
    assert 0.36 < len(labelled) / 2000 < 0.44
    assert set(labelled) == {(3, 11, 6), (0, 22, 12)}
    assert 0.4 < np.mean([s == (0, 22, 12) for s in labelled]) < 0.6


def test_boxes_do_where_there_is_no_mask_and_chance_where_there_is_nothing():
    assert set(many(LabelCentred(share=1), BOXES, count=5)) == {((3, 11, 6), "label")}
    assert {how for _, how in many(LabelCentred(share=1), NOTHING, count=5)} == {"uniform"}


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 25)] * 3),
    patch=st.tuples(*[st.integers(2, 20)] * 3),
    data=st.data(),
)
def test_a_grid_covers_every_voxel_and_stays_inside(shape, patch, data):
    overlap = tuple(data.draw(st.integers(0, p - 1)) for p in patch)
    counts = counts_on_grid(np.array([shape]), patch, overlap)[0]
    seen = [np.zeros(n, bool) for n in shape]
    places = [place_on_grid(n, counts, shape, patch, overlap) for n in range(int(counts.prod()))]
    assert len(set(places)) == len(places)
    for place in places:
        for axis in range(3):
            seen[axis][max(place[axis], 0) : place[axis] + patch[axis]] = True
            assert place[axis] + patch[axis] <= max(shape[axis], place[axis] + patch[axis])
            assert place[axis] >= 0 or patch[axis] > shape[axis]
            assert place[axis] + patch[axis] <= shape[axis] or patch[axis] > shape[axis]
    assert all(s.all() for s in seen)


def test_names_and_options():
    assert sampler_of("grid") == Grid()
    assert sampler_of("lesion") == LabelCentred(by="lesion")
    assert sampler_of(LabelCentred(share=0.5)).share == 0.5
    with pytest.raises(ConfigError, match="did you mean 'label'"):
        sampler_of("labels")
    with pytest.raises(ConfigError, match="between 0 and 1"):
        LabelCentred(share=2)
    with pytest.raises(ConfigError, match="overlap"):
        counts_on_grid(np.array([SHAPE]), PATCH, (4, 0, 0))


TWO_BOXES = Targets(
    voxels=np.array([[1, 2, 4, 4]] * 90 + [[1, 8, 20, 15]], np.int32),
    boxes=np.array([[2, 4, 4, 3, 5, 5], [8, 20, 15, 9, 21, 16], [0, 0, 0, 1, 1, 1]], np.int32),
    box_numbers=np.array([1, 1, 2]),
    numbers={"tumour": 1, "node": 2},
)


def test_by_lesion_a_small_one_is_drawn_as_often_as_a_large_one():
    starts = [start for start, how in many(LabelCentred(share=1, by="lesion"), TWO_BOXES) if how == "label"]
    shares = {start: starts.count(start) / 2000 for start in set(starts)}
    assert shares.keys() == {(0, 0, 0), (6, 16, 11)}
    assert 0.62 < shares[0, 0, 0] < 0.71  # two boxes of three end at this border
    by_voxel = [start for start, _ in many(LabelCentred(share=1), TWO_BOXES)]
    assert by_voxel.count((6, 16, 11)) / 2000 < 0.03


def test_weights_of_labels_are_those_of_what_a_case_has():
    drawn = many(Weighted(labels={"tumour": 1, "node": 3}), TWO_BOXES)
    assert {how for _, how in drawn} == {"label"}
    only = Targets(voxels=TWO_BOXES.voxels, boxes=NOTHING.boxes, numbers=TWO_BOXES.numbers)
    assert {how for _, how in many(Weighted(labels={"tumour": 1, "node": 3}), only)} == {"label"}
    assert {how for _, how in many(Weighted(labels={"node": 3}), only, count=50)} == {"uniform"}
    assert {how for _, how in many(Weighted(labels={"tumour": 0, "node": 3}), only, count=50)} == {"uniform"}


def test_a_map_that_a_case_lacks_leaves_chance():
    assert {how for _, how in many(Weighted(map="known:tumour"), NOTHING, count=20)} == {"uniform"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "of labels, or of one map"),
        ({"labels": {"a": 1}, "map": "mask:a"}, "of labels, or of one map"),
        ({"labels": {"a": -1}}, "not negative"),
        ({"labels": {"a": 0}}, "not all 0"),
        ({"labels": {"a": float("nan")}}, "not negative"),
        ({"map": "image"}, "a map is one of mask:<label>"),
    ],
)
def test_weights_that_cannot_be_are_refused(wrong, said):
    with pytest.raises(ConfigError, match=said):
        Weighted(**wrong)
    with pytest.raises(ConfigError, match="voxel, lesion"):
        LabelCentred(by="case")


@settings(max_examples=60, deadline=None)
@given(shape=st.tuples(*[st.integers(1, 25)] * 3), patch=st.tuples(*[st.integers(2, 20)] * 3), data=st.data())
def test_the_starts_of_each_axis_are_those_of_the_grid(shape, patch, data):
    overlap = tuple(data.draw(st.integers(0, p - 1)) for p in patch)
    counts = counts_on_grid(np.array([shape]), patch, overlap)[0]
    places = {place_on_grid(n, counts, shape, patch, overlap) for n in range(int(counts.prod()))}
    for axis in range(3):
        assert starts_on_grid(shape[axis], patch[axis], overlap[axis]) == sorted({p[axis] for p in places})


@pytest.mark.parametrize("wrong", [3, None, Grid, LabelCentred, Weighted, Uniform, ("label",)])
def test_what_is_no_sampler_is_refused_not_drawn_from_uniformly(wrong):
    with pytest.raises(ConfigError, match="a name, or one of"):
        sampler_of(wrong)


def test_a_class_is_told_how_to_be_made():
    with pytest.raises(ConfigError, match=r"the class LabelCentred: make one, LabelCentred\(\)"):
        sampler_of(LabelCentred)


@pytest.mark.parametrize("overlap", [8, (1, 2), None])
def test_an_overlap_is_three_numbers(overlap):
    with pytest.raises(ConfigError, match="three numbers"):
        Grid(overlap=overlap)
