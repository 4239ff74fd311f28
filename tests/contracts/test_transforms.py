"""Every transform keeps the contract of `isocenter.augment.transform`."""

import json

import numpy as np
import pytest

from isocenter.augment.patch import Patch
from isocenter.augment.policy import Policy
from isocenter.augment.transform import TRANSFORMS, apply, draw, reach
from isocenter.base import seeds

EVERYTHING = Policy(
    rotation_deg=10,
    rotation_axes=("R", "A", "S", "normal"),
    mirror=("R", "A", "S"),
    side_symmetric=True,
    swap={"left": "right"},
    contrast=0.15,
    noise_sigma=0.01,
)
NAMES = TRANSFORMS.names()


def make_patch(shape=(7, 20, 18), *, channels=2, planes=0):
    rng = np.random.default_rng(1)
    valid = np.ones(shape, bool)
    valid[:, :3] = False
    mask = rng.integers(0, 3, (planes, *shape) if planes else shape).astype(np.uint8)
    return Patch(
        image=rng.random((channels, *shape), dtype=np.float32),
        valid=valid,
        affine=np.array([[-0.7, 0.1, 0, 4], [0.1, 0.7, 0, -9], [0, 0, 2.5, 3], [0, 0, 0, 1.0]]),
        mask=mask,
        boxes=np.array([[-4.0, -5, 6, 0, 1, 12], [1, 1, 1, 2, 2, 2]]),
        boxes_voxel=np.array([[1, 2, 3, 4, 8, 9], [0, 0, 0, 1, 1, 1]], np.int32),
        box_labels=np.array([1, 2]),
        labels=np.array([1, -1], np.int8),
        label_values={"left": 1, "right": 2},
        background=(0.0, 0.5)[:channels],
        centre=(0.5, 0.5)[:channels],
        span=(1.0, 4.0)[:channels],
        known=rng.random((planes, *shape) if planes else shape) < 0.7,
        soft=rng.random((2, *shape), dtype=np.float32),
        instances=rng.integers(0, 300, shape).astype(np.uint16),
    )


def arrays(patch):
    names = ("image", "valid", "affine", "mask", "boxes", "boxes_voxel", "box_labels", "labels")
    names += ("known", "soft", "instances")
    return {n: getattr(patch, n) for n in names if getattr(patch, n) is not None}


def drawn(name, seed):
    return TRANSFORMS.get(name).draw(EVERYTHING, seeds.stream(seed, "test"))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_drawn_where_nothing_is_asked_for(name):
    generator = seeds.stream(0, "test")
    before = generator.bit_generator.state["state"]["counter"].copy()
    assert TRANSFORMS.get(name).draw(Policy(), generator) is None
    np.testing.assert_array_equal(generator.bit_generator.state["state"]["counter"], before)


@pytest.mark.parametrize("name", NAMES)
def test_history_replays_through_json(name):
    transform = TRANSFORMS.get(name)
    for seed in range(10):
        parameters = drawn(name, seed)
        first = arrays(transform.apply(make_patch(), parameters))
        again = arrays(transform.apply(make_patch(), json.loads(json.dumps(parameters))))
        for key in first:
            assert first[key].tobytes() == again[key].tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_chance_makes_different_parameters(name):
    assert len({json.dumps(drawn(name, seed)) for seed in range(64)}) >= 8


@pytest.mark.parametrize("planes", [0, 2])
@pytest.mark.parametrize("name", NAMES)
def test_arguments_stay_and_shapes_types_and_affine_too(name, planes):
    transform, patch = TRANSFORMS.get(name), make_patch(planes=planes)
    before = {k: v.copy() for k, v in arrays(patch).items()}
    for seed in range(10):
        after = arrays(transform.apply(patch, drawn(name, seed)))
        for key, value in before.items():
            np.testing.assert_array_equal(arrays(patch)[key], value)
            assert (after[key].shape, after[key].dtype) == (value.shape, value.dtype)
            assert after[key].flags.c_contiguous
            assert np.isfinite(after[key]).all()
        np.testing.assert_array_equal(after["affine"], before["affine"])


@pytest.mark.parametrize("name", NAMES)
def test_image_mask_and_validity_move_alike(name):
    """An image that is the mask stays the mask, up to interpolation and intensity."""
    transform, patch = TRANSFORMS.get(name), make_patch((9, 24, 24), channels=1)
    blob = np.zeros(patch.shape, np.uint8)
    blob[3:6, 8:14, 5:12] = 1
    patch = make_patch((9, 24, 24), channels=1)
    object.__setattr__(patch, "mask", blob)
    object.__setattr__(patch, "image", blob[None].astype(np.float32))
    object.__setattr__(patch, "label_values", {"left": 1, "right": 2})
    for seed in range(10):
        parameters = drawn(name, seed)
        parameters.pop("swap", None)
        after = transform.apply(patch, {**parameters, "swap": {}})
        differs = (after.image[0] > 0.5) != (after.mask == 1)
        assert differs.mean() < 0.02


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_made_up_of_padding(name):
    patch = make_patch(channels=1)
    object.__setattr__(patch, "image", np.where(patch.valid, 0.7, 0.0).astype(np.float32)[None])
    for seed in range(10):
        after = TRANSFORMS.get(name).apply(patch, drawn(name, seed))
        assert after.valid.sum() <= patch.valid.sum() * 1.02
        assert after.image.max() < 0.7 * 1.15 + 0.06


def test_all_of_them_are_applied_in_their_order():
    parameters = draw(EVERYTHING, seeds.stream(3, "x"))
    assert list(parameters) == ["mirror", "rotation", "contrast", "noise"]
    patch = make_patch()
    whole = apply(patch, parameters)
    for name in parameters:
        patch = TRANSFORMS.get(name).apply(patch, parameters[name])
    assert whole.image.tobytes() == patch.image.tobytes()
    assert draw(Policy(), seeds.stream(3, "x")) == {}
    assert reach({}, (3, 3, 3), np.eye(4)) == (0, 0, 0)
