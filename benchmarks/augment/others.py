"""The peers, each in an environment of its own; every one is used as favourably as we know how.

All are given the same patch in memory, turn it by the same angles, linear for the image and nearest for the mask, and
make fresh noise. Where a peer has no such contrast, multiplying by the factor stands for it, which is less work.

Usage, by the interpreter of the peer: python -m benchmarks.augment.others PEER KIND FOLDER PASSES
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.augment.judged import judge
from benchmarks.augment.problem import (
    ANGLES,
    CONTROLS,
    FACTOR,
    LARGEST,
    PATCH,
    SIGMA,
    SPACING_MM,
    basis,
    rotation,
    warmed,
)
from benchmarks.read.timing import serve

_TURNS, _BENDS = {"rotation", "chain", "all"}, {"elastic", "all"}
_FLIPS, _TONES, _NOISES = {"mirror", "chain", "all"}, {"contrast", "chain", "all"}, {"noise", "chain", "all"}


def main() -> None:
    """Measure one peer."""
    peer, kind, folder, passes = sys.argv[1:]
    run = WAYS[peer](kind, Path(folder))
    is_same = peer == "torch" or (peer == "monai" and kind == "elastic")
    serve(run, warmed(run), int(passes), lambda out: judge(out if is_same else None, Path(folder), kind))


def _load(folder: Path) -> tuple[Any, Any, Any]:
    np: Any = import_module("numpy")
    return np.load(folder / "image.npy"), np.load(folder / "mask.npy"), np.load(folder / "controls.npy")


def torch(kind: str, folder: Path) -> Callable[[], Any]:
    """`grid_sample`, twice; matrix, mirror and field are put into one grid."""
    torch: Any = import_module("torch")
    np: Any = import_module("numpy")
    torch.set_num_threads(1)
    functional: Any = import_module("torch.nn.functional")
    image, mask, controls = _load(folder)
    image, labels = torch.from_numpy(image)[None, None], torch.from_numpy(mask)[None, None]
    along = torch.from_numpy(basis(np)).float()
    cells = torch.from_numpy(controls).float() * (2 / (PATCH - 1))
    moves = kind in _TURNS | _BENDS

    def run() -> Any:
        out, picked = image, labels
        if moves:
            matrix = torch.tensor(rotation()) if kind in _TURNS else torch.eye(3)
            theta = torch.cat([matrix, torch.zeros(3, 1)], dim=1)
            if kind in _FLIPS:
                theta[0] = -theta[0]
            grid = functional.affine_grid(theta[None], (1, 1, PATCH, PATCH, PATCH), align_corners=True)
            if kind in _BENDS:
                field = torch.einsum("cxyz,iz->cxyi", cells, along)
                field = torch.einsum("cxyi,jy->cxji", field, along)
                grid = grid + torch.einsum("cxji,kx->kjic", field, along)[None]
            out = functional.grid_sample(image, grid, mode="bilinear", align_corners=True)
            picked = functional.grid_sample(labels.float(), grid, mode="nearest", align_corners=True).to(
                torch.uint8
            )
        elif kind in _FLIPS:
            out, picked = image.flip(4), labels.flip(4)
        if kind in _TONES:
            out = (out - 0.5) * FACTOR + 0.5
        if kind in _NOISES:
            out = out + torch.randn_like(out) * SIGMA
        return out, picked

    return run


def torchio(kind: str, folder: Path) -> Callable[[], Any]:
    """Its transforms of a subject; its elastic field is of cubic B-splines too, of as many control points."""
    tio: Any = import_module("torchio")
    torch: Any = import_module("torch")
    import_module("SimpleITK").ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    torch.set_num_threads(1)
    np: Any = import_module("numpy")
    image, mask, controls = _load(folder)
    affine = np.diag([SPACING_MM] * 3 + [1.0])
    subject = tio.Subject(
        image=tio.ScalarImage(tensor=image.T[None].copy(), affine=affine),
        mask=tio.LabelMap(tensor=mask.T[None].copy(), affine=affine),
    )
    steps: list[Any] = []
    if kind in _FLIPS:
        steps.append(tio.Flip(axes=(0,)))
    if kind in _TURNS:
        options = {"default_pad_value": 0, "image_interpolation": "linear"}
        steps.append(tio.Affine(scales=(1, 1, 1), degrees=ANGLES, translation=(0, 0, 0), **options))
    if kind in _BENDS:
        points = np.moveaxis(controls, 0, -1) * SPACING_MM
        assert points.shape == (CONTROLS, CONTROLS, CONTROLS, 3)
        steps.append(
            tio.ElasticDeformation(points, (LARGEST * SPACING_MM,) * 3, image_interpolation="linear")
        )
    if kind in _TONES:
        steps.append(tio.Lambda(lambda t: (t - 0.5) * FACTOR + 0.5, types_to_apply=[tio.INTENSITY]))
    if kind in _NOISES:
        steps.append(tio.RandomNoise(mean=0, std=(SIGMA, SIGMA)))
    whole = tio.Compose(steps)
    return lambda: whole(subject)


def monai(kind: str, folder: Path) -> Callable[[], Any]:
    """Its array transforms, tensors without metadata; its `Warp` is given the field as dense as it needs it."""
    torch: Any = import_module("torch")
    np: Any = import_module("numpy")
    torch.set_num_threads(1)
    transforms: Any = import_module("monai.transforms")
    import_module("monai.data").set_track_meta(False)
    image, mask, controls = _load(folder)
    tensor, labels = torch.from_numpy(image)[None], torch.from_numpy(mask)[None]
    angles = [math.radians(a) for a in ANGLES]
    along, cells = torch.from_numpy(basis(np)).float(), torch.from_numpy(controls).float()
    blocks: Any = import_module("monai.networks.blocks")
    warps = {mode: blocks.Warp(mode, "zeros") for mode in ("bilinear", "nearest")} if kind in _BENDS else {}
    options = {"keep_size": True, "padding_mode": "zeros"}
    noise = transforms.RandGaussianNoise(prob=1.0, mean=0.0, std=SIGMA, sample_std=False)

    def run() -> Any:
        out, picked = tensor, labels
        if kind in _FLIPS:
            out, picked = transforms.Flip(2)(out), transforms.Flip(2)(picked)
        if kind in _TURNS:
            out = transforms.Rotate(angles, mode="bilinear", **options)(out)
            picked = transforms.Rotate(angles, mode="nearest", **options)(picked)
        if kind in _BENDS:
            field = torch.einsum("cxyz,iz->cxyi", cells.flip(0), along)
            field = torch.einsum("cxyi,jy->cxji", field, along)
            field = torch.einsum("cxji,kx->ckji", field, along)[None]
            out = warps["bilinear"](out[None], field)[0]
            picked = warps["nearest"](picked[None].float(), field)[0]
        if kind in _TONES:
            out = transforms.ScaleIntensity(minv=None, maxv=None, factor=FACTOR - 1)(out)
        if kind in _NOISES:
            out = noise(out)
        return out, picked

    return run


def batchgenerators(kind: str, folder: Path) -> Callable[[], Any]:
    """nnU-Net's own transforms, the mask by the nearest voxel, which is its fast way; its field is of another kind."""
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    spatial: Any = import_module("batchgeneratorsv2.transforms.spatial.spatial")
    mirroring: Any = import_module("batchgeneratorsv2.transforms.spatial.mirroring")
    contrast: Any = import_module("batchgeneratorsv2.transforms.intensity.contrast")
    gaussian: Any = import_module("batchgeneratorsv2.transforms.intensity.gaussian_noise")
    image, mask, _ = _load(folder)
    tensor, labels = torch.from_numpy(image)[None], torch.from_numpy(mask.astype("int16"))[None]
    angle = math.radians(max(map(abs, ANGLES)))
    steps: list[Any] = [
        spatial.SpatialTransform(
            (PATCH,) * 3, patch_center_dist_from_border=0, random_crop=False,
            p_elastic_deform=1.0 if kind in _BENDS else 0.0, elastic_deform_magnitude=(0.02, 0.02),
            p_rotation=1.0 if kind in _TURNS else 0.0, rotation=(-angle, angle), p_scaling=0.0, mode_seg="nearest",
        )
    ]  # fmt: skip
    if kind in _FLIPS:
        steps.append(mirroring.MirrorTransform((0, 1, 2)))
    if kind in _TONES:
        steps.append(contrast.ContrastTransform(contrast.BGContrast((FACTOR, FACTOR)), False, False, 1.0))
    if kind in _NOISES:
        steps.append(gaussian.GaussianNoiseTransform((SIGMA, SIGMA), 1.0, synchronize_channels=False))

    def run() -> Any:
        sample = {"image": tensor, "segmentation": labels}
        for step in steps:
            sample = step(**sample)
        return sample["image"], sample["segmentation"]

    return run


WAYS: dict[str, Callable[[str, Path], Callable[[], Any]]] = {
    "torch": torch,
    "torchio": torchio,
    "monai": monai,
    "batchgenerators": batchgenerators,
}

if __name__ == "__main__":
    main()
