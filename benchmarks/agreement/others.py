"""The peers, each in an environment of its own; every one is used as favourably as we know how.

Usage, by the interpreter of the peer: python -m benchmarks.agreement.others PEER NAME FOLDER PASSES
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.agreement.told import told_of
from benchmarks.read.timing import serve

COUNT = 24


def main() -> None:
    """Measure one peer."""
    peer, name, folder, passes = sys.argv[1:]
    np: Any = import_module("numpy")
    place = Path(folder)
    spacing = tuple(json.loads((place / "told.json").read_text(encoding="utf-8"))["spacing_mm"])

    def problem(prefix: str) -> Callable[[], Any]:
        files = sorted(place.glob(f"{prefix}{name}-[0-9].npy"))
        return WAYS[peer]([np.load(file) for file in files], spacing)

    serve(problem(""), problem("small-"), int(passes), told_of)


def _images(raters: list[Any]) -> tuple[Any, list[Any]]:
    sitk: Any = import_module("SimpleITK")
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    return sitk, [sitk.GetImageFromArray(each.astype("uint8")) for each in raters]


def simpleitk_dice(raters: list[Any], _: Any) -> Callable[[], Any]:
    """`LabelOverlapMeasuresImageFilter`, of one label or of all."""
    sitk, images = _images(raters)
    measures = sitk.LabelOverlapMeasuresImageFilter()
    found = sorted({int(v) for v in import_module("numpy").unique(raters[0])} - {0})

    def run() -> Any:
        measures.Execute(*images)
        return [measures.GetDiceCoefficient(label) for label in found]

    return run


def simpleitk_staple(raters: list[Any], _: Any) -> Callable[[], Any]:
    """`STAPLEImageFilter` on the whole volume."""
    sitk, images = _images(raters)
    staple = sitk.STAPLEImageFilter()
    staple.SetForegroundValue(1)

    def run() -> Any:
        shares = staple.Execute(images)
        return [float((sitk.GetArrayViewFromImage(shares) > 0.5).sum())]

    return run


def simpleitk_staple_box(raters: list[Any], spacing: Any) -> Callable[[], Any]:
    """The same, given the box around the union and the margin that ours takes."""
    np: Any = import_module("numpy")
    places = np.argwhere(np.any(raters, axis=0))
    low, high = places.min(axis=0) - 5, places.max(axis=0) + 6
    box = tuple(slice(max(a, 0), b) for a, b in zip(low, high))  # noqa: B905 - of three each
    return simpleitk_staple([np.ascontiguousarray(each[box]) for each in raters], spacing)


def medpy_dice(raters: list[Any], _: Any) -> Callable[[], Any]:
    """`dc` of two masks, or of each label by itself."""
    binary: Any = import_module("medpy.metric.binary")
    if raters[0].dtype == bool:
        return lambda: [binary.dc(*raters)]
    found = range(1, COUNT + 1)
    return lambda: [binary.dc(raters[0] == n, raters[1] == n) for n in found]


def medpy_hd95(raters: list[Any], spacing: Any) -> Callable[[], Any]:
    """`hd95`, of another definition: surfaces are voxels, all weighed alike."""
    binary: Any = import_module("medpy.metric.binary")
    return lambda: [binary.hd95(*raters, voxelspacing=spacing)]


def monai_dice(raters: list[Any], _: Any) -> Callable[[], Any]:
    """`DiceHelper` of two masks; of labels one by one, for all at once do not fit."""
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    metrics: Any = import_module("monai.metrics")
    helper = metrics.DiceMetric(include_background=True, reduction="none")
    first, second = (torch.from_numpy(each) for each in raters)
    found = [True] if raters[0].dtype == bool else range(1, COUNT + 1)

    def run() -> Any:
        return [float(helper((second == n)[None, None], (first == n)[None, None])) for n in found]

    return run


def monai_hd95(raters: list[Any], spacing: Any) -> Callable[[], Any]:
    """`compute_hausdorff_distance`, of another definition: surfaces are voxels, all weighed alike."""
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    metrics: Any = import_module("monai.metrics")
    first, second = (torch.from_numpy(each)[None, None] for each in raters)
    options = {"include_background": True, "percentile": 95, "spacing": list(spacing)}
    return lambda: [float(metrics.compute_hausdorff_distance(second, first, **options))]


def surface_distance_hd95(raters: list[Any], spacing: Any) -> Callable[[], Any]:
    """`compute_surface_distances` and `compute_robust_hausdorff`."""
    module: Any = import_module("surface_distance.metrics")

    def run() -> Any:
        distances = module.compute_surface_distances(raters[0], raters[1], spacing)
        return [module.compute_robust_hausdorff(distances, 95)]

    return run


WAYS: dict[str, Callable[[list[Any], Any], Callable[[], Any]]] = {
    "simpleitk-dice": simpleitk_dice,
    "simpleitk-staple": simpleitk_staple,
    "simpleitk-staple-box": simpleitk_staple_box,
    "medpy-dice": medpy_dice,
    "medpy-hd95": medpy_hd95,
    "monai-dice": monai_dice,
    "monai-hd95": monai_hd95,
    "surface-distance-hd95": surface_distance_hd95,
}

if __name__ == "__main__":
    main()
