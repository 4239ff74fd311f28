"""Every transform keeps the contract of `isocenter.augment.transform`."""

import json
from dataclasses import replace

import numpy as np
import pytest

from isocenter.augment.patch import Patch
from isocenter.augment.policy import Policy
from isocenter.augment.transform import TRANSFORMS, draw, plan
from isocenter.base import seeds

EVERYTHING = Policy(
    rotation_deg=10,
    rotation_axes=("R", "A", "S", "normal"),
    mirror=("R", "A", "S"),
    side_symmetric=True,
    swap={"left": "right"},
    contrast=0.15,
    noise_sigma=0.01,
    elastic_mm=2,
    elastic_cell_mm=20,
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
        points=np.array([[-3.0, -4, 8], [1, 2, 3]]),
        instances=rng.integers(0, 300, shape).astype(np.uint16),
    )


def apply(patch, parameters, margin=(0, 0, 0)):
    """What was drawn, done to a patch with a margin around what is wanted."""
    shape = tuple(n - 2 * m for n, m in zip(patch.shape, margin, strict=True))
    return plan(parameters, shape, patch.affine).apply(patch, margin)


def arrays(patch):
    names = ("image", "valid", "affine", "mask", "boxes", "boxes_voxel", "box_labels", "labels")
    names += ("known", "soft", "instances", "points")
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
    for seed in range(10):
        parameters = drawn(name, seed)
        first = arrays(apply(make_patch(), {name: parameters}))
        again = arrays(apply(make_patch(), json.loads(json.dumps({name: parameters}))))
        for key in first:
            assert first[key].tobytes() == again[key].tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_chance_makes_different_parameters(name):
    assert len({json.dumps(drawn(name, seed)) for seed in range(64)}) >= 8


@pytest.mark.parametrize("planes", [0, 2])
@pytest.mark.parametrize("name", NAMES)
def test_arguments_stay_and_shapes_types_and_affine_too(name, planes):
    patch = make_patch(planes=planes)
    before = {k: v.copy() for k, v in arrays(patch).items()}
    for seed in range(10):
        after = arrays(apply(patch, {name: drawn(name, seed)}))
        for key, value in before.items():
            np.testing.assert_array_equal(arrays(patch)[key], value)
            assert (after[key].shape, after[key].dtype) == (value.shape, value.dtype)
            assert after[key].flags.c_contiguous
            assert np.isfinite(after[key]).all()
        np.testing.assert_array_equal(after["affine"], before["affine"])


@pytest.mark.parametrize("name", NAMES)
def test_image_mask_and_validity_move_alike(name):
    """An image that is the mask stays the mask, up to interpolation and intensity."""
    blob = np.zeros((9, 24, 24), np.uint8)
    blob[3:6, 8:14, 5:12] = 1
    patch = make_patch((9, 24, 24), channels=1)
    object.__setattr__(patch, "mask", blob)
    object.__setattr__(patch, "image", blob[None].astype(np.float32))
    object.__setattr__(patch, "label_values", {"left": 1, "right": 2})
    for seed in range(10):
        parameters = drawn(name, seed)
        parameters.pop("swap", None)
        after = apply(patch, {name: {**parameters, "swap": {}}})
        differs = (after.image[0] > 0.5) != (after.mask == 1)
        assert differs.mean() < 0.02


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_made_up_of_padding(name):
    patch = make_patch(channels=1)
    object.__setattr__(patch, "image", np.where(patch.valid, 0.7, 0.0).astype(np.float32)[None])
    for seed in range(10):
        after = apply(patch, {name: drawn(name, seed)})
        assert after.valid.sum() <= patch.valid.sum() * 1.02
        assert after.image.max() < 0.7 * 1.15 + 0.06


def test_all_of_them_are_done_by_one_interpolation():
    """Turned there and mirrored: as mirrored first and turned then, to the byte; and never blurred twice."""
    parameters = draw(EVERYTHING, seeds.stream(3, "x"))
    assert list(parameters) == ["mirror", "rotation", "elastic", "contrast", "noise"]
    patch = make_patch()
    one = apply(patch, {n: parameters[n] for n in ("mirror", "rotation")})
    two = apply(apply(patch, {"mirror": parameters["mirror"]}), {"rotation": parameters["rotation"]})
    for key, value in arrays(two).items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(arrays(one)[key], value, atol=1e-4)
        else:
            assert (arrays(one)[key] != value).mean() < 1e-3
    there, back = ({"rotation": {"axis": "S", "degrees": d}} for d in (10.0, -10.0))
    assert (
        abs(apply(apply(patch, there), back).image - patch.image)[:, 3, 6:14, 6:12].mean() > 0.05
    )  # blurred
    assert draw(Policy(), seeds.stream(3, "x")) == {}
    assert plan({}, (3, 3, 3), np.eye(4)).reach == (0, 0, 0)
    assert apply(patch, {}).image.tobytes() == patch.image.tobytes()


@pytest.mark.parametrize("planes", [0, 2])
def test_a_margin_is_used_and_left_out(planes):
    """What is inside does not depend on how much was read around it."""
    wide = make_patch((15, 40, 38), planes=planes)
    parameters = draw(EVERYTHING, seeds.stream(5, "x"))
    parameters["mirror"]["axes"] = ["R", "S"]
    parameters["mirror"]["swap"] = {"left": "right", "right": "left"}
    results = []
    for margin in ((4, 10, 10), (3, 9, 8)):
        k, j, i = (slice(a - b, n - a + b) for a, b, n in zip((4, 10, 10), margin, wide.shape, strict=True))
        affine = wide.affine.copy()
        affine[:3, 3] += affine[:3, :3] @ [i.start, j.start, k.start]
        cut = {
            n: getattr(wide, n)[..., k, j, i]
            for n in ("image", "valid", "mask", "known", "soft", "instances")
        }
        voxel = wide.boxes_voxel - np.array([k.start, j.start, i.start] * 2, np.int32)
        patch = replace(wide, **cut, affine=affine, boxes_voxel=voxel)
        assert plan(parameters, (7, 20, 18), affine).reach <= margin
        results.append(apply(patch, parameters, margin))
    one, other = results
    assert one.shape == (7, 20, 18)
    for key, value in arrays(one).items():
        np.testing.assert_allclose(arrays(other)[key], value, atol=1e-4, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_there_stays_away_and_empty_masks_stay_empty(name):
    full = make_patch(planes=2)
    bare = replace(full, mask=None, known=None, soft=None, instances=None, valid=np.ones(full.shape, bool))
    empty = replace(full, mask=np.zeros_like(full.mask))
    for seed in range(4):
        parameters = {name: drawn(name, seed)}
        after = apply(bare, parameters)
        assert after.mask is after.known is after.soft is after.instances is None
        assert after.boxes.shape == bare.boxes.shape
        with_all = apply(empty, parameters)
        assert with_all.mask.shape == empty.mask.shape
        assert not with_all.mask.any()
        inside = with_all.valid
        np.testing.assert_array_equal(after.image[:, inside], with_all.image[:, inside])


def test_labels_above_255_and_many_channels_move_like_others():
    patch = make_patch()
    image = np.concatenate([patch.image] * 2)
    more = {n: getattr(patch, n) * 2 for n in ("background", "centre", "span")}
    many = replace(patch, mask=patch.mask.astype(np.uint16) * 200, image=image, **more)
    parameters = {"rotation": {"axis": "S", "degrees": 7.0}, "contrast": {"factor": 1.1}}
    one, other = apply(patch, parameters), apply(many, parameters)
    assert other.mask.dtype == np.uint16
    np.testing.assert_array_equal(other.mask, one.mask.astype(np.uint16) * 200)
    np.testing.assert_array_equal(other.image, np.concatenate([one.image] * 2))
