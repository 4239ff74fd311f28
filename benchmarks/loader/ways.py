"""Ways to load batches for training; each runs in a process of its own, a peer in its environment.

Usage, by the interpreter of the way: python -m benchmarks.loader.ways NAME SAMPLER FOLDER; then a request in JSON per line.
A batch has two patches of 128^3: the image in float32, one channel, and the mask.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.loader.cases import BATCH, LABEL_SHARE, LUNG, PATCH

Batches = Iterator[tuple[Any, Any]]
_SECONDS_BETWEEN_LOOKS = 0.003


def main() -> None:
    """Answer requests for patches: what they took of CPU and wall time, and of memory where that is asked for."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries greet on it
    name, sampler, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    libraries, open_way = WAYS[name]
    for library in libraries:
        import_module(library)
    gc.collect()
    base = _memory()
    batches: Batches | None = None
    for line in sys.stdin:
        request = json.loads(line)
        with _watched(is_wanted=request["is_memory"]) as seen:
            if batches is None:
                batches = open_way(folder, sampler)
            told = _load(batches, request["patches"])
        told["memory"] = [max(one[n] for one in [*seen, base]) - base[n] for n in range(len(base))]
        print(json.dumps(told), file=answers, flush=True)


def _load(batches: Batches, wanted: int) -> dict[str, Any]:
    patches, labelled, cpu, wall = 0, 0.0, 0.0, 0.0
    while patches < wanted:
        begun, started = time.process_time(), time.perf_counter()
        image, mask = next(batches)
        cpu, wall = cpu + time.process_time() - begun, wall + time.perf_counter() - started
        if tuple(image.shape[1:]) != (1, *PATCH) or str(image.dtype) != "torch.float32":
            raise ValueError(f"a batch of {image.dtype}, {tuple(image.shape)}")
        patches += len(image)
        labelled += float((mask != 0).sum()) / (mask.numel() / len(image))
        del image, mask
    return {"cpu": cpu / patches, "wall": wall / patches, "patches": patches, "labelled": labelled / patches}


@contextmanager
def _watched(*, is_wanted: bool) -> Iterator[list[list[int]]]:
    """What memory was seen while the block ran."""
    seen: list[list[int]] = []
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(_SECONDS_BETWEEN_LOOKS):
            seen.append(_memory())

    watcher = threading.Thread(target=look, daemon=True)
    if is_wanted:
        watcher.start()
    yield seen
    is_over.set()
    if is_wanted:
        watcher.join()
        seen.append(_memory())


def _memory() -> list[int]:
    """Bytes that are this process's own (USS), and with its share of what others have too (PSS)."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    held = {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines}
    return [held["Private_Clean"] + held["Private_Dirty"], held["Pss"]]


def isocenter(folder: Path, sampler: str) -> Batches:
    """Our data set's own loader, no workers, with all that a sample has: what is valid, what a loss may count."""
    home: Any = import_module("isocenter.loading.dataset")
    samplers: Any = import_module("isocenter.loading.sampler")
    where = samplers.LabelCentred(share=LABEL_SHARE) if sampler == "label" else sampler
    data = home.dataset(
        folder / "isocenter" / "work" / "store",
        "train",
        patch=PATCH,
        per_case=32,
        sampler=where,
        normalise="window:lung",
    )
    loader = data.loader(BATCH)
    for epoch in itertools.count():
        data.set_epoch(epoch)
        for batch in loader:
            image, mask = batch["image"], batch["mask"]
            del batch
            yield image, mask
            del image, mask  # as nobody who trains holds on to them


def nnunet(kind: str) -> Callable[[Path, str], Batches]:
    """nnU-Net's loader on its data set, without augmentation: what it runs in a worker, and without workers itself."""

    def open_way(folder: Path, sampler: str) -> Batches:
        np: Any = import_module("numpy")
        data: Any = import_module("nnunetv2.training.dataloading.nnunet_dataset")
        loading: Any = import_module("nnunetv2.training.dataloading.data_loader")
        labels: Any = import_module("nnunetv2.utilities.label_handling.label_handling")
        values = np.unique(np.load(folder / "mask.npy", mmap_mode="r")[::2, ::2, ::2]).tolist()
        manager = labels.LabelManager({"background": 0, **{f"organ-{v}": v for v in values if v}}, None)
        loader = loading.nnUNetDataLoader(
            data.nnUNetDatasetBlosc2(str(folder / f"nnunet-{kind}")),
            BATCH,
            PATCH,
            PATCH,
            manager,
            oversample_foreground_percent=0.33 if sampler == "label" else 0.0,
        )
        for batch in loader:
            yield batch["data"], batch["target"]

    return open_way


def hdf5(folder: Path, _: str) -> Batches:
    """A data set as anybody would write it: files held open, a slice of each array, the window in NumPy."""
    h5py: Any = import_module("h5py")
    import_module("hdf5plugin")
    files = [h5py.File(path, "r") for path in sorted((folder / "hdf5").iterdir())]
    return _plain(len(files), lambda n: (files[n]["image"], files[n]["mask"]))


def nibabel(suffix: str) -> Callable[[Path, str], Batches]:
    """The same of NIfTI files: a slice of what nibabel has not read yet."""

    def open_way(folder: Path, _: str) -> Batches:
        library: Any = import_module("nibabel")
        found = _pairs(folder / suffix)
        proxies = [tuple(library.load(path).dataobj for path in pair) for pair in found]
        return _plain(len(found), lambda n: proxies[n])

    return open_way


def _plain(count: int, arrays: Callable[[int], tuple[Any, Any]]) -> Batches:
    """Batches of patches at random places; what is stored as (i, j, k) stays so, as the patch is a cube."""
    np: Any = import_module("numpy")
    torch: Any = import_module("torch")
    low, high = LUNG

    class Data(torch.utils.data.Dataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return 32 * count

        def __getitem__(self, index: int) -> Any:
            image, mask = arrays(index % count)
            start = [int(torch.randint(n - p + 1, ())) for n, p in zip(image.shape, PATCH, strict=True)]
            box = tuple(slice(s, s + p) for s, p in zip(start, PATCH, strict=True))
            voxels = np.asarray(image[box], np.float32)
            np.clip(voxels, np.float32(low), np.float32(high), out=voxels)
            voxels -= np.float32(low)
            voxels *= np.float32(1 / (high - low))
            return torch.from_numpy(voxels)[None], torch.from_numpy(np.asarray(mask[box]))

    loader = torch.utils.data.DataLoader(Data(), batch_size=BATCH, shuffle=True)
    while True:
        yield from map(tuple, loader)


def torchio(folder: Path, _: str) -> Batches:
    """TorchIO's queue with the lengths of its documentation: 300 patches at most, 10 of each volume."""
    tio: Any = import_module("torchio")
    subjects = [
        tio.Subject(image=tio.ScalarImage(image), mask=tio.LabelMap(mask))
        for image, mask in _pairs(folder / "nifti-gz")
    ]
    window = tio.RescaleIntensity(out_min_max=(0, 1), in_min_max=LUNG, percentiles=(0, 100))
    queue = tio.Queue(
        tio.SubjectsDataset(subjects, transform=tio.Compose([tio.Clamp(*LUNG), window])),
        max_length=300,
        samples_per_volume=10,
        sampler=tio.data.UniformSampler(PATCH),
    )
    loader = tio.SubjectsLoader(queue, batch_size=BATCH, num_workers=0)
    while True:
        for batch in loader:
            yield batch["image"][tio.DATA], batch["mask"][tio.DATA]


def monai(*, copies: bool) -> Callable[[Path, str], Batches]:
    """MONAI's cache of whole volumes, four patches of each at a time, as its tutorials have it."""

    def open_way(folder: Path, sampler: str) -> Batches:
        library: Any = import_module("monai.data")
        do: Any = import_module("monai.transforms")
        keys = ["image", "mask"]
        crop = (
            do.RandCropByPosNegLabeld(keys, label_key="mask", spatial_size=PATCH, num_samples=4)
            if sampler == "label"
            else do.RandSpatialCropSamplesd(keys, roi_size=PATCH, num_samples=4, random_size=False)
        )
        low, high = LUNG
        steps = [
            do.LoadImaged(keys),
            do.EnsureChannelFirstd(keys),
            do.ScaleIntensityRanged(["image"], low, high, 0.0, 1.0, clip=True),
            crop,
        ]
        items = [dict(zip(keys, map(str, pair), strict=True)) for pair in _pairs(folder / "nifti-gz")]
        more = {} if copies else {"copy_cache": False}
        data = library.CacheDataset(items, do.Compose(steps), progress=False, **more)
        loader = library.DataLoader(data, batch_size=BATCH, shuffle=True)
        while True:
            for batch in loader:
                yield batch["image"], batch["mask"]

    return open_way


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    paths = sorted(folder.iterdir())
    images, masks = ([p for p in paths if f"-{key}." in p.name] for key in ("image", "mask"))
    return list(zip(images, masks, strict=True))


_NNUNET = ("numpy", "torch", "nnunetv2.training.dataloading.data_loader")
_TORCH = ("numpy", "torch.utils.data")
WAYS: dict[str, tuple[Sequence[str], Callable[[Path, str], Batches]]] = {
    "isocenter": (
        (
            *_TORCH,
            "isocenter.loading.dataset",
            "isocenter.loading.frameworks.torch",
            "isocenter.stores.backends.hdf5",
        ),
        isocenter,
    ),
    "nnunet-float32": (_NNUNET, nnunet("float32")),
    "nnunet-int16": (_NNUNET, nnunet("int16")),
    "hdf5": ((*_TORCH, "h5py", "hdf5plugin"), hdf5),
    "nifti": ((*_TORCH, "nibabel"), nibabel("nifti")),
    "nifti-gz": ((*_TORCH, "nibabel"), nibabel("nifti-gz")),
    "torchio": (("torchio",), torchio),
    "monai": (("monai.data", "monai.transforms"), monai(copies=True)),
    "monai-shared": (("monai.data", "monai.transforms"), monai(copies=False)),
}

if __name__ == "__main__":
    main()
