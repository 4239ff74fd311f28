"""The files that are loaded, as each library likes them; each kind is made in a process of the environment that reads it.

Usage, by the interpreter of the environment: python -m benchmarks.loader.making KIND FOLDER CASES.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.loader.cases import FEW, LUNG, PATCH, SPACING_MM, cases

_CHUNK = (32, 32, 32)


def isocenter(folder: Path, count: int) -> None:
    """A store, packed by the whole pipeline from NIfTI files without compression."""
    iso: Any = import_module("isocenter")
    np: Any = import_module("numpy")
    raw = folder / "isocenter" / "raw"
    _write_nifti(folder, raw, count, ".nii")
    values = np.unique(np.load(folder / "mask.npy", mmap_mode="r")[::2, ::2, ::2]).tolist()
    labels = "\n".join(f"  organ-{v}: {{value: {v}}}" for v in values if v)
    config = folder / "isocenter" / "cohort.yaml"
    config.write_text(_CONFIG.format(raw=raw, labels=labels), encoding="utf-8")
    run = iso.run(config, until="split")
    if run.gate or run.counts["cases_packed"] != count:
        raise SystemExit(f"not all cases were packed: {run.gate or run.counts}")
    for path in raw.rglob("*.nii"):
        path.unlink()


_CONFIG = """\
name: loader
task: segmentation
sources:
  - path: {raw}
    subject: {{pattern: ["{{subject}}-image.nii"]}}
channels:
  ct: {{modality: CT, path: ["{{subject}}-image.nii"]}}
labels:
{labels}
annotations:
  - kind: masks
    path: "{{subject}}-mask.nii"
    image: "{{subject}}-image.nii"
split: {{fractions: {{train: 1.0}}}}
workspace: work
"""


def nnunet(folder: Path, count: int, kind: str) -> None:
    """nnU-Net's data set: values normalised in float32, its default, or HU in int16; labels int8 or int16, as it has them.

    The chunks for the patch, the filter and the places of each label are chosen by its own functions.
    """
    np: Any = import_module("numpy")
    data: Any = import_module("nnunetv2.training.dataloading.nnunet_dataset")
    module: Any = import_module("nnunetv2.preprocessing.preprocessors.default_preprocessor")
    place = folder / f"nnunet-{kind}"
    place.mkdir()
    for name, image, mask in cases(folder, count):
        seg = mask[None].astype(np.int16 if kind == "float32" else np.int8)
        labels = [int(v) for v in np.unique(seg) if v]
        found = module.DefaultPreprocessor._sample_foreground_locations(seg, labels)  # noqa: SLF001 - no other way
        voxels = image[None]
        if kind == "float32":
            voxels = voxels.clip(*LUNG).astype(np.float32)
            voxels = (voxels - voxels.mean()) / voxels.std()
        blocks, chunks = data.comp_blosc2_params(voxels.shape, PATCH, voxels.itemsize)
        blocks_seg, chunks_seg = data.comp_blosc2_params(seg.shape, PATCH, seg.itemsize)
        data.nnUNetDatasetBlosc2.save_case(
            voxels,
            seg,
            {"class_locations": found},
            str(place / name),
            chunks=chunks,
            blocks=blocks,
            chunks_seg=chunks_seg,
            blocks_seg=blocks_seg,
        )


def hdf5(folder: Path, count: int) -> None:
    """A file of each case as anybody would write it: chunks, Blosc2 with LZ4."""
    library: Any = import_module("h5py")
    plugin: Any = import_module("hdf5plugin")
    place = folder / "hdf5"
    place.mkdir()
    packing = plugin.Blosc2(cname="lz4", clevel=5, filters=plugin.Blosc2.SHUFFLE)
    for name, image, mask in cases(folder, count):
        with library.File(place / f"{name}.h5", "w") as file:
            for key, array in {"image": image, "mask": mask}.items():
                file.create_dataset(key, data=array, chunks=_CHUNK, **packing)


def _write_nifti(folder: Path, place: Path, count: int, suffix: str) -> None:
    """As nibabel writes by default."""
    np: Any = import_module("numpy")
    library: Any = import_module("nibabel")
    place.mkdir(parents=True)
    affine = np.diag([*SPACING_MM[::-1], 1.0])
    for name, image, mask in cases(folder, count):
        for key, array in {"image": image, "mask": mask}.items():
            library.save(library.Nifti1Image(array.T, affine), place / f"{name}-{key}{suffix}")


KINDS: dict[str, Callable[[Path, int], None]] = {
    "isocenter": isocenter,
    "nnunet-float32": lambda folder, count: nnunet(folder, count, "float32"),
    "nnunet-int16": lambda folder, count: nnunet(folder, count, "int16"),
    "hdf5": hdf5,
    "nifti": lambda folder, count: _write_nifti(folder, folder / "nifti", min(count, FEW), ".nii"),
    "nifti-gz": lambda folder, count: _write_nifti(folder, folder / "nifti-gz", min(count, FEW), ".nii.gz"),
}

if __name__ == "__main__":
    KINDS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
