"""The peers that prepare one volume, each in a process and an environment of its own.

Usage, by the interpreter of the peer: python -m benchmarks.build.others WAY FOLDER SMALL-FOLDER PASSES
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.read.timing import serve

NEW_MM = (1.0, 1.0, 1.0)
_PLANS = {
    "dataset_name": "one",
    "plans_name": "plans",
    "transpose_forward": [0, 1, 2],
    "transpose_backward": [0, 1, 2],
    "image_reader_writer": "SimpleITKIO",
    "label_manager": "LabelManager",
    "foreground_intensity_properties_per_channel": {
        "0": {"mean": 0.0, "std": 300.0, "percentile_00_5": -1000.0, "percentile_99_5": 1000.0}
    },
    "configurations": {
        "3d_fullres": {
            "data_identifier": "one",
            "preprocessor_name": "DefaultPreprocessor",
            "spacing": list(NEW_MM),
            "patch_size": [128, 128, 128],
            "architecture": {"network_class_name": "unused", "arch_kwargs": {}, "_kw_requires_import": []},
            "normalization_schemes": ["CTNormalization"],
            "use_mask_for_norm": [False],
            "resampling_fn_data": "resample_data_or_seg_to_shape",
            "resampling_fn_seg": "resample_data_or_seg_to_shape",
            "resampling_fn_data_kwargs": {
                "is_seg": False,
                "order": 3,
                "order_z": 0,
                "force_separate_z": None,
            },
            "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, "order_z": 0, "force_separate_z": None},
        }
    },
}


def main() -> None:
    """Measure one peer."""
    way, folder, small, passes = sys.argv[1:]
    make = WAYS[way]
    serve(make(Path(folder)), make(Path(small)), int(passes))


def simpleitk(kind: str, ending: str) -> Callable[[Path], Callable[[], Any]]:
    """Read and resample with SimpleITK, written with nibabel."""

    def make(folder: Path) -> Callable[[], Any]:
        sitk: Any = import_module("SimpleITK")
        nibabel: Any = import_module("nibabel")
        np: Any = import_module("numpy")
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

        def run() -> None:
            reader = sitk.ImageSeriesReader()
            reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
            image = reader.Execute()
            old, new = image.GetSpacing(), NEW_MM[::-1]
            size = [round(n * o / s) for n, o, s in zip(image.GetSize(), old, new)]  # noqa: B905
            out = sitk.Resample(
                image, size, sitk.Transform(), getattr(sitk, kind), image.GetOrigin(), new,
                image.GetDirection(), -1024, image.GetPixelID(),
            )  # fmt: skip
            array = np.clip(sitk.GetArrayViewFromImage(out), -1024, 3071).astype(np.int16)
            affine = np.diag([-new[0], -new[1], new[2], 1.0])
            with tempfile.TemporaryDirectory() as into:
                nibabel.save(nibabel.Nifti1Image(array.T, affine), f"{into}/one{ending}")

        return run

    return make


def nnunet(folder: Path) -> Callable[[], Any]:
    """Its preprocessing of a NIfTI file of the same volume, without compression, saved as it saves."""
    preprocessor: Any = import_module("nnunetv2.preprocessing.preprocessors.default_preprocessor")
    handler: Any = import_module("nnunetv2.utilities.plans_handling.plans_handler")
    sitk: Any = import_module("SimpleITK")
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    import_module("torch").set_num_threads(1)
    plans = handler.PlansManager(_PLANS)
    configuration = plans.get_configuration("3d_fullres")
    dataset = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "seen": 1}, "file_ending": ".nii"}
    source = folder.parent / "one.nii"
    if not source.exists():
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
        sitk.WriteImage(reader.Execute(), str(source))
    made = preprocessor.DefaultPreprocessor(verbose=False)

    def run() -> None:
        with tempfile.TemporaryDirectory() as into:
            made.run_case_save(f"{into}/one", [str(source)], None, plans, configuration, dataset)

    return run


WAYS: dict[str, Callable[[Path], Callable[[], Any]]] = {
    "simpleitk-linear": simpleitk("sitkLinear", ".nii"),
    "simpleitk-linear-gz": simpleitk("sitkLinear", ".nii.gz"),
    "simpleitk-cubic": simpleitk("sitkBSpline", ".nii"),
    "nnunet": nnunet,
}

if __name__ == "__main__":
    main()
