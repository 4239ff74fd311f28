"""The peers, each in an environment of its own; every one is used as favourably as we know how.

Their input is in memory and of the type that each likes best; the grids are placed alike: old and new cover the same
field of view, which is what "half a pixel" or `align_corners=False` means.

Usage, by the interpreter of the peer: python -m benchmarks.resample.others PEER NAME FOLDER PASSES THREADS
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.read.timing import serve
from benchmarks.resample.judged import judge


@dataclass(frozen=True)
class Problem:
    """An array (K, J, I) that is to have another shape, and the spacing of the one and the other, both (k, j, i)."""

    array: Any
    target: tuple[int, int, int]
    old_mm: tuple[float, float, float]
    threads: int

    @property
    def new_mm(self) -> tuple[float, ...]:
        """Spacing of the target: the same field of view in other voxels."""
        each = zip(self.array.shape, self.old_mm, self.target)  # noqa: B905 - of three each
        return tuple(n * mm / m for n, mm, m in each)


def main() -> None:
    """Measure one peer."""
    peer, name, folder, passes, threads = sys.argv[1:]
    np: Any = import_module("numpy")
    told = json.loads((Path(folder) / "told.json").read_text(encoding="utf-8"))

    def problem(prefix: str, target: str) -> Problem:
        array = np.load(Path(folder) / f"{prefix}{name}.npy")
        return Problem(array, tuple(told[target]), tuple(told["spacing_mm"]), int(threads))

    make = WAYS[peer]
    whole, small = problem("", "target"), problem("small-", "small_target")
    serve(make(whole), make(small), int(passes), lambda out: judge(out, Path(folder), name, peer))


def simpleitk(interpolator: str) -> Callable[[Problem], Callable[[], Any]]:
    """`Resample` to int16, or to the labels' own type."""

    def make(problem: Problem) -> Callable[[], Any]:
        sitk: Any = import_module("SimpleITK")
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(problem.threads)
        image = sitk.GetImageFromArray(problem.array)
        image.SetSpacing(problem.old_mm[::-1])
        new = problem.new_mm[::-1]
        origin = [(n - o) / 2 for n, o in zip(new, problem.old_mm[::-1])]  # noqa: B905
        grid = (problem.target[::-1], sitk.Transform(), getattr(sitk, interpolator), origin, new)
        back = -1024 if problem.array.dtype.kind == "i" else 0
        return lambda: sitk.Resample(image, *grid, image.GetDirection(), back, image.GetPixelID())

    return make


def skimage(order: int) -> Callable[[Problem], Callable[[], Any]]:
    """`resize` of 32-bit floats."""

    def make(problem: Problem) -> Callable[[], Any]:
        np: Any = import_module("numpy")
        transform: Any = import_module("skimage.transform")
        array = problem.array.astype(np.float32)
        options = {"mode": "edge", "clip": False, "preserve_range": True, "anti_aliasing": False}
        return lambda: transform.resize(array, problem.target, order, **options)

    return make


def scipy(order: int) -> Callable[[Problem], Callable[[], Any]]:
    """`ndimage.zoom` to 32-bit floats; the cubic one with our own boundary rule."""

    def make(problem: Problem) -> Callable[[], Any]:
        np: Any = import_module("numpy")
        ndimage: Any = import_module("scipy.ndimage")
        zoom = [m / n for m, n in zip(problem.target, problem.array.shape)]  # noqa: B905
        mode = "mirror" if order > 1 else "nearest"
        options = {"order": order, "mode": mode, "grid_mode": True, "output": np.float32}
        return lambda: ndimage.zoom(problem.array, zoom, **options)

    return make


def torch(problem: Problem) -> Callable[[], Any]:
    """`interpolate`, trilinear."""
    torch: Any = import_module("torch")
    torch.set_num_threads(problem.threads)
    array = torch.from_numpy(problem.array).float()[None, None]
    resize = torch.nn.functional.interpolate
    options = {"size": problem.target, "mode": "trilinear", "align_corners": False}

    def run() -> Any:
        return resize(array, **options)[0, 0].numpy()

    return run


def torch_labels(problem: Problem) -> Callable[[], Any]:
    """Each label trilinear by itself, the largest share kept; no volume of all labels, which would not fit."""
    torch: Any = import_module("torch")
    torch.set_num_threads(problem.threads)
    array = torch.from_numpy(problem.array)
    resize = torch.nn.functional.interpolate
    options = {"size": problem.target, "mode": "trilinear", "align_corners": False}

    def run() -> Any:
        best = torch.zeros(problem.target)
        out = torch.zeros(problem.target, dtype=torch.uint8)
        for label in torch.unique(array):
            share = resize((array == label).float()[None, None], **options)[0, 0]
            is_more = share > best
            best[is_more], out[is_more] = share[is_more], label
        return out.numpy()

    return run


def torchio(kind: str) -> Callable[[Problem], Callable[[], Any]]:
    """`Resample` to the shape and affine of the target."""

    def make(problem: Problem) -> Callable[[], Any]:
        library: Any = import_module("torchio")
        torch: Any = import_module("torch")
        np: Any = import_module("numpy")
        import_module("SimpleITK").ProcessObject.SetGlobalDefaultNumberOfThreads(problem.threads)
        tensor = torch.from_numpy(np.ascontiguousarray(problem.array.transpose(2, 1, 0)))[None].float()
        old, new = np.array(problem.old_mm[::-1]), np.array(problem.new_mm[::-1])
        affine = np.diag([*new, 1.0])
        affine[:3, 3] = (new - old) / 2
        image = library.ScalarImage(tensor=tensor, affine=np.diag([*old, 1.0]))
        resample = library.Resample((problem.target[::-1], affine), image_interpolation=kind)
        return lambda: resample(image).numpy()[0].transpose(2, 1, 0)

    return make


def monai(mode: Any) -> Callable[[Problem], Callable[[], Any]]:
    """`Resize`, trilinear, or `Spacing` with splines, which is what it has."""

    def make(problem: Problem) -> Callable[[], Any]:
        transforms: Any = import_module("monai.transforms")
        torch: Any = import_module("torch")
        torch.set_num_threads(problem.threads)
        array = torch.from_numpy(problem.array).float()[None]
        if mode == "trilinear":
            resize = transforms.Resize(problem.target, mode=mode, align_corners=False)

            def plain() -> Any:
                return resize(array)[0].numpy()

            return plain
        data: Any = import_module("monai.data")
        np: Any = import_module("numpy")
        image = data.MetaTensor(array, affine=np.diag([*problem.old_mm, 1.0]))
        spacing = transforms.Spacing(problem.new_mm, mode=mode, padding_mode="nearest", align_corners=False)

        def run() -> Any:
            return spacing(image, output_spatial_shape=problem.target)[0].numpy()

        return run

    return make


def opencv(problem: Problem) -> Callable[[], Any]:
    """Its `resize` of planes, then of the planes across; it knows no volumes."""
    cv2: Any = import_module("cv2")
    np: Any = import_module("numpy")
    cv2.setNumThreads(problem.threads)
    array, (depth, height, width) = problem.array.astype(np.float32), problem.target

    def run() -> Any:
        half = np.empty((len(array), height, width), np.float32)
        for k, plane in enumerate(array):
            cv2.resize(plane, (width, height), dst=half[k], interpolation=cv2.INTER_LINEAR)
        out = np.empty(problem.target, np.float32)
        for j in range(height):
            out[:, j] = cv2.resize(half[:, j], (width, depth), interpolation=cv2.INTER_LINEAR)
        return out

    return run


def nnunet(*, is_seg: bool) -> Callable[[Problem], Callable[[], Any]]:
    """Its own resampling as its plans ask for it: images cubic, labels linear one by one."""

    def make(problem: Problem) -> Callable[[], Any]:
        module: Any = import_module("nnunetv2.preprocessing.resampling.default_resampling")
        np: Any = import_module("numpy")
        array = (problem.array if is_seg else problem.array.astype(np.float32))[None]
        options = {"is_seg": is_seg, "order": 1 if is_seg else 3, "order_z": 0, "force_separate_z": False}
        resample = module.resample_data_or_seg_to_shape
        return lambda: resample(array, problem.target, problem.old_mm, problem.new_mm, **options)[0]

    return make


WAYS: dict[str, Callable[[Problem], Callable[[], Any]]] = {
    "simpleitk-linear": simpleitk("sitkLinear"),
    "simpleitk-cubic": simpleitk("sitkBSpline"),
    "simpleitk-labels": simpleitk("sitkLabelLinear"),
    "skimage-linear": skimage(1),
    "skimage-cubic": skimage(3),
    "scipy-linear": scipy(1),
    "scipy-cubic": scipy(3),
    "torch-linear": torch,
    "torch-labels": torch_labels,
    "torchio-linear": torchio("linear"),
    "torchio-cubic": torchio("bspline"),
    "monai-linear": monai("trilinear"),
    "monai-cubic": monai(3),
    "opencv-linear": opencv,
    "nnunet-cubic": nnunet(is_seg=False),
    "nnunet-labels": nnunet(is_seg=True),
}

if __name__ == "__main__":
    main()
