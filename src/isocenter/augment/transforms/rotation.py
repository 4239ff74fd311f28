"""Turn a patch about its centre in millimetres, so that anisotropic voxels do not shear what is in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.augment.patch import AXES, Patch
from isocenter.augment.policy import NORMAL, Policy

order = 2

_ROUNDING = 1e-6  # voxels: a position this near to the border is on it


def draw(policy: Policy, generator: np.random.Generator) -> dict[str, Any] | None:
    """One of the policy's axes and an angle within its limit."""
    if not policy.rotation_deg:
        return None
    return {
        "axis": policy.rotation_axes[int(generator.integers(len(policy.rotation_axes)))],
        "degrees": float(generator.uniform(-policy.rotation_deg, policy.rotation_deg)),
    }


def reach(
    parameters: Mapping[str, Any], shape: tuple[int, int, int], affine: NDArray[np.float64]
) -> tuple[int, int, int]:
    """How far the corners of the patch were away from where they are turned to."""
    half = (np.array(shape[::-1]) - 1) / 2
    back = _source_of(affine, parameters)
    needed = np.abs(back) @ half
    i, j, k = (max(0, math.ceil(float(n) - _ROUNDING)) for n in needed - half)
    return k, j, i


def apply(patch: Patch, parameters: Mapping[str, Any]) -> Patch:
    """The patch turned: image and shares by linear interpolation, all else by the nearest voxel."""
    back = _source_of(patch.affine, parameters)
    centre = (np.array(patch.shape[::-1], dtype=np.float64) - 1) / 2
    shift = centre - back @ centre
    shares = np.zeros((0, *patch.shape), np.float32) if patch.soft is None else patch.soft
    values = patch.image if patch.soft is None else np.concatenate([patch.image, shares])
    masks = np.zeros((0, *patch.shape), np.uint8) if patch.mask is None else patch.mask
    planes = masks.reshape(-1, *patch.shape)
    image, turned = np.empty_like(values), np.empty_like(planes)
    valid = np.empty(patch.shape, np.bool_)
    background = np.array((*patch.background, *(0.0,) * len(shares)), dtype=np.float32)
    _turn(values, planes, patch.valid, back, shift, background, image, turned, valid)
    boxes, voxel = _turned_boxes(patch, back, centre, parameters)
    channels = len(patch.image)
    return replace(
        patch,
        image=image[:channels] if len(shares) else image,
        valid=valid,
        mask=None if patch.mask is None else turned.reshape(masks.shape),
        known=_nearest(patch, patch.known, back, shift),
        soft=None if patch.soft is None else image[channels:],
        instances=_nearest(patch, patch.instances, back, shift),
        boxes=boxes,
        boxes_voxel=voxel,
    )


def _nearest(
    patch: Patch, array: NDArray[Any] | None, back: NDArray[np.float64], shift: NDArray[np.float64]
) -> NDArray[Any] | None:
    """An array whose last three axes are those of the patch, turned as its mask is."""
    if array is None:
        return None
    planes = array.reshape(-1, *patch.shape)
    out, none = np.empty_like(planes), np.zeros((0, *patch.shape), np.float32)
    valid, background = np.empty(patch.shape, np.bool_), np.zeros(0, np.float32)
    _turn(none, planes, patch.valid, back, shift, background, none.copy(), out, valid)
    return out.reshape(array.shape)


def _rotation(affine: NDArray[np.float64], parameters: Mapping[str, Any]) -> NDArray[np.float64]:
    """Rotation matrix (3, 3) in RAS+ about an axis: Rodrigues' formula."""
    if parameters["axis"] == NORMAL:
        x, y, z = np.cross(affine[:3, 0], affine[:3, 1])
    else:
        x, y, z = np.eye(3)[AXES.index(parameters["axis"])]
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) / math.sqrt(x * x + y * y + z * z)
    angle = math.radians(parameters["degrees"])
    out: NDArray[np.float64] = np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * (cross @ cross)
    return out


def _source_of(affine: NDArray[np.float64], parameters: Mapping[str, Any]) -> NDArray[np.float64]:
    """Matrix (3, 3) from a voxel (i, j, k) relative to the centre to the one whose value moves there."""
    steps = affine[:3, :3]
    out: NDArray[np.float64] = np.linalg.inv(steps) @ _rotation(affine, parameters).T @ steps
    return out


def _turned_boxes(
    patch: Patch,
    back: NDArray[np.float64],
    centre: NDArray[np.float64],
    parameters: Mapping[str, Any],
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Boxes in mm and in voxels that hold the turned corners of the old ones."""
    if not len(patch.boxes):
        return patch.boxes, patch.boxes_voxel
    middle = patch.affine[:3, :3] @ centre + patch.affine[:3, 3]
    world = _bounds(patch.boxes, _rotation(patch.affine, parameters), middle)
    forward = np.linalg.inv(back).astype(np.float64)
    edges = (
        patch.boxes_voxel[:, [2, 1, 0, 5, 4, 3]].astype(np.float64) - 0.5
    )  # a voxel reaches half its size around its centre
    lows, highs = np.split(_bounds(edges, forward, centre) + 0.5, 2, axis=1)
    voxel = np.concatenate([np.floor(lows[:, ::-1] + _ROUNDING), np.ceil(highs[:, ::-1] - _ROUNDING)], axis=1)
    return world, voxel.astype(np.int32)


def _bounds(
    boxes: NDArray[np.float64], matrix: NDArray[np.float64], centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bounds (N, 6) of boxes (N, 6) turned about a centre."""
    low, high = boxes[:, :3] - centre, boxes[:, 3:] - centre
    middle, half = (low + high) / 2 @ matrix.T + centre, (high - low) / 2 @ np.abs(matrix).T
    return np.concatenate([middle - half, middle + half], axis=1)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _between(image: NDArray[np.float32], x: float, y: float, z: float) -> np.float32:
    """The value at a position inside an image (K, J, I), linear along each axis."""
    slices, rows, columns = image.shape
    xa, ya, za = int(x), int(y), int(z)
    xb, yb, zb = min(xa + 1, columns - 1), min(ya + 1, rows - 1), min(za + 1, slices - 1)
    fx, fy, fz = np.float32(x - xa), np.float32(y - ya), np.float32(z - za)
    near = image[za, ya, xa] + fx * (image[za, ya, xb] - image[za, ya, xa])
    far = image[za, yb, xa] + fx * (image[za, yb, xb] - image[za, yb, xa])
    low = near + fy * (far - near)
    near = image[zb, ya, xa] + fx * (image[zb, ya, xb] - image[zb, ya, xa])
    far = image[zb, yb, xa] + fx * (image[zb, yb, xb] - image[zb, yb, xa])
    high = near + fy * (far - near)
    return np.float32(low + fz * (high - low))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _turn(
    image: NDArray[np.float32],
    planes: NDArray[Any],
    valid: NDArray[np.bool_],
    back: NDArray[np.float64],
    shift: NDArray[np.float64],
    background: NDArray[np.float32],
    image_out: NDArray[np.float32],
    planes_out: NDArray[Any],
    valid_out: NDArray[np.bool_],
) -> None:
    """Fill the outputs: each voxel from `back @ (i, j, k) + shift`."""
    channels, slices, rows, columns = image.shape
    for k in range(slices):
        for j in range(rows):
            x0 = back[0, 1] * j + back[0, 2] * k + shift[0]
            y0 = back[1, 1] * j + back[1, 2] * k + shift[1]
            z0 = back[2, 1] * j + back[2, 2] * k + shift[2]
            for i in range(columns):
                x, y, z = x0 + back[0, 0] * i, y0 + back[1, 0] * i, z0 + back[2, 0] * i
                if not (
                    -_ROUNDING <= x <= columns - 1 + _ROUNDING
                    and -_ROUNDING <= y <= rows - 1 + _ROUNDING
                    and -_ROUNDING <= z <= slices - 1 + _ROUNDING
                ):
                    valid_out[k, j, i] = False
                    for c in range(channels):
                        image_out[c, k, j, i] = background[c]
                    for plane in range(planes.shape[0]):
                        planes_out[plane, k, j, i] = 0
                    continue
                x, y, z = (
                    min(max(x, 0.0), columns - 1.0),
                    min(max(y, 0.0), rows - 1.0),
                    min(max(z, 0.0), slices - 1.0),
                )
                xn, yn, zn = int(x + 0.5), int(y + 0.5), int(z + 0.5)
                valid_out[k, j, i] = valid[zn, yn, xn]
                for plane in range(planes.shape[0]):
                    planes_out[plane, k, j, i] = planes[plane, zn, yn, xn]
                for c in range(channels):
                    image_out[c, k, j, i] = _between(image[c], x, y, z)
