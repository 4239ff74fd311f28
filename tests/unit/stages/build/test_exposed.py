"""What the build leaves out of statistics, and what it clips, told by what reading saw."""

from types import SimpleNamespace

import numpy as np
import pytest

from isocenter.imaging.facts import facts_of_array
from isocenter.stages.build.exposed import measured_where
from isocenter.stages.build.images import clip_slices
from isocenter.testing.rules import a_volume


def images_of(picture, modality, valid=None):
    array = picture[None]
    volume = a_volume(array, modality=modality, unit="stored")
    return SimpleNamespace(arrays={"x": array}, volumes={"x": volume}, valid=valid)


def a_picture():
    random = np.random.default_rng(0)
    picture = random.integers(1000, 3000, (200, 160)).astype(np.uint16)
    picture[:, :40] = 4095
    return picture


def test_borders_of_a_radiograph_are_not_measured():
    where = measured_where(images_of(a_picture(), "DX"), "x")
    assert where.shape == (1, 200, 160)
    assert not where[0, :, :39].any()
    assert where[0, :, 41:].all()
    valid = np.ones((1, 200, 160), bool)
    valid[0, :7] = False
    both = measured_where(images_of(a_picture(), "DX", valid), "x")
    assert np.array_equal(both, where & valid)


@pytest.mark.parametrize("valid", [None, np.ones((1, 200, 160), bool)])
def test_all_else_is_measured_where_it_is_valid(valid):
    assert measured_where(images_of(a_picture(), "MR", valid), "x") is valid
    assert measured_where(images_of(a_picture()[:, 40:], "DX", valid), "x") is valid


@pytest.mark.parametrize("is_padded", [False, True])
@pytest.mark.parametrize(("low", "high"), [(-1024, 3071), (-500, 500), (-30000, 30000)])
def test_slices_are_clipped_as_the_whole_would_be(is_padded, low, high):
    random = np.random.default_rng(1)
    array = random.normal(0, 300, (6, 20, 20)).astype(np.int16)
    array[2, 3, :5], array[4, 7, :3] = -3000, 9000
    valid = random.random(array.shape) > 0.2 if is_padded else None
    if is_padded:
        valid[5] = False
        array[~valid] = -1024
    real = array if valid is None else array[valid]
    expected = int((real < low).sum()), int((real > high).sum())
    clipped = np.clip(array, low, high)
    if is_padded:
        clipped[~valid] = -1024
    for facts in (None, facts_of_array(array, valid)):
        volume = a_volume(array.copy(), valid=valid, facts=facts)
        assert clip_slices(volume, low, high) == expected
        assert np.array_equal(volume.array, clipped)
