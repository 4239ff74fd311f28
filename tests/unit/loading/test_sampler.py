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
    counts_on_grid,
    draw,
    place_on_grid,
    sampler_of,
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
    assert sampler_of(LabelCentred(share=0.5)).share == 0.5
    with pytest.raises(ConfigError, match="did you mean 'label'"):
        sampler_of("labels")
    with pytest.raises(ConfigError, match="between 0 and 1"):
        LabelCentred(share=2)
    with pytest.raises(ConfigError, match="overlap"):
        counts_on_grid(np.array([SHAPE]), PATCH, (4, 0, 0))
