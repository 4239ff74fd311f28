"""Masks that lie on the wrong side."""

from dataclasses import replace

import numpy as np
import pytest

from isocenter.model.grid import Grid
from isocenter.rules.catalogue.annotation.mirrored_mask import mirrored_mask
from isocenter.testing.rules import a_case, issues_of


def a_big_case(**changes):
    """Organs above, in front and on the right of the middle, in noise."""
    rng = np.random.default_rng(0)
    affine = np.diag([0.9, 0.9, 3.0, 1.0])
    mask = np.zeros((14, 64, 60), np.uint8)
    mask[6:13, 36:62, 34:58] = 1
    mask[8:12, 30:36, 20:34] = 2
    image = np.array([0, 50, -60], np.float32)[mask] + rng.normal(0, 10, mask.shape)
    clean = a_case(image=image[np.newaxis].astype(np.int16), mask=mask, grid=Grid(mask.shape, affine))
    return replace(clean, **changes)


@pytest.mark.parametrize(
    ("axis", "said"),
    [
        (2, "mirrored between left and right"),
        (1, "mirrored between front and back"),
        (0, "mirrored between head and feet"),
        ((1, 2), "turned by 180 degrees in its slices"),
    ],
)
def test_the_way_is_told_in_words_of_the_patient(axis, said) -> None:
    case = a_big_case()
    assert issues_of(mirrored_mask, case) == []
    flipped = replace(case, mask=np.flip(case.mask, axis))
    assert issues_of(mirrored_mask, flipped) == [f"the mask fits the image better {said}"]


def test_every_rater_is_judged_alone() -> None:
    case = a_big_case()
    both = replace(case, raters={"a": case.mask, "b": case.mask[:, :, ::-1]})
    assert issues_of(mirrored_mask, both) == [
        "the mask of b fits the image better mirrored between left and right"
    ]


def test_layers_are_judged_together() -> None:
    case = a_big_case()
    layers = np.stack([case.mask == 1, case.mask == 2]).astype(np.uint8)
    assert issues_of(mirrored_mask, replace(case, mask=layers)) == []
    assert len(issues_of(mirrored_mask, replace(case, mask=layers[..., ::-1]))) == 1


def test_a_channel_that_tells_nothing_is_not_asked_and_one_that_objects_is() -> None:
    case = a_big_case()
    flipped = replace(case, mask=case.mask[:, :, ::-1])
    missing = np.concatenate((case.image, np.zeros_like(case.image)))
    objecting = np.concatenate((case.image, case.image[..., ::-1]))
    for image, count in ((missing, 1), (objecting, 0)):
        two = replace(
            flipped, image=image, channels=("ct", "pet"), units=("HU", "SUVbw"), modalities=("CT", "PT")
        )
        assert len(issues_of(mirrored_mask, two)) == count


def test_without_orientation_the_axis_of_the_array_is_named() -> None:
    case = a_big_case()
    grid = Grid(case.grid.shape, case.grid.affine, is_oriented=False)
    flipped = replace(case, mask=case.mask[:, :, ::-1], grid=grid)
    assert issues_of(mirrored_mask, flipped) == ["the mask fits the image better mirrored along i"]


def test_how_sure_it_must_be_can_be_said() -> None:
    case = a_big_case()
    assert issues_of(mirrored_mask, replace(case, mask=case.mask[:, :, ::-1]), min_evidence=1e3) == []
