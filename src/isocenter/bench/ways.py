"""Ways: the same patches out of the store, out of the raw files, and out of what else a data set is often kept in."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.bench.sample import Sample, SampleCase, scaled
from isocenter.formats.image import FORMATS
from isocenter.model.exchange import exchanged
from isocenter.stores.handles import Handles
from isocenter.stores.layout import record_of
from isocenter.stores.lazy import LazyArray
from isocenter.stores.shard import BACKENDS
from isocenter.stores.store import Store

Read = Callable[[int, tuple[slice, ...]], Any]
"""Reads image and mask of a case at a place."""

STORE, SOURCE, NIFTI, COMPRESSED = "store", "source", "nifti", "nifti-gz"
# Where the voxels of a NIfTI-1 file without extensions begin (nifti1.h, vox_offset).
_NIFTI_VOXELS = 352


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to keep the cases.

    Args:
        name: "store", "source", "nifti", "nifti-gz", or a backend with its chunk: "hdf5 32x64x64".
        title: What it is, for a table.
        folder: Where its files are; None for the source files.
        backend: Backend of the shards; "" where it is none.
    """

    name: str
    title: str
    folder: Path | None
    backend: str = ""

    def files(self, sample: Sample) -> list[Path]:
        """All files that it reads."""
        if self.folder is not None:
            return sorted(p for p in self.folder.rglob("*") if p.is_file())
        return [p for c in sample.cases if c.source is not None for p in dict.fromkeys(c.source.paths)]


def ways_of(sample: Sample, folder: Path, chunk: tuple[int, int, int]) -> list[Way]:
    """The ways that there are for a sample; those that have to be made get a folder below the one given."""
    out = [Way(name=STORE, title="this store", folder=sample.store / "shards")]
    out += [
        Way(name=b, title=f"{b}, chunks {_times(chunk)}", folder=folder / b, backend=b)
        for b in BACKENDS.names()
    ]
    if all(c.source is not None for c in sample.cases):
        kind = {c.source.stack.format for c in sample.cases if c.source is not None}
        out.append(Way(name=SOURCE, title=f"source files ({', '.join(sorted(kind))})", folder=None))
    out.append(Way(name=NIFTI, title=".nii, mapped into memory", folder=folder / NIFTI))
    out.append(Way(name=COMPRESSED, title=".nii.gz", folder=folder / COMPRESSED))
    return out


def make(way: Way, sample: Sample, chunk: tuple[int, int, int]) -> None:
    """Write the files of a way that has to be made."""
    if way.folder is None or way.name == STORE:
        return
    way.folder.mkdir(parents=True)
    store = Store(sample.store)
    if way.backend:
        backend = BACKENDS.get(way.backend)
        with backend.create(way.folder / f"sample.{backend.suffix}", chunk=chunk) as writer:
            for case in sorted(sample.cases, key=lambda c: c.id):
                writer.put(record_of(_in_memory(store, case)))
    else:
        for number, case in enumerate(sample.cases):
            for name, array in _volumes(store, case):
                grid = store[case.id].grid
                exchanged("nibabel", array, grid).to_filename(way.folder / f"{number}-{name}{_ending(way)}")
    store.close()


def reader(way: Way, sample: Sample) -> Read:
    """What reads the patches of a way."""
    if way.name == STORE:
        return _from_store(sample)
    if way.backend:
        return _from_shard(way, sample)
    if way.name == SOURCE:
        return _from_source(sample)
    return _mapped(way, sample) if way.name == NIFTI else _from_nifti(way, sample)


def forget(paths: Iterable[Path]) -> None:
    """Ask the system to drop the content of files from its memory."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def _times(chunk: tuple[int, ...]) -> str:
    return "x".join(map(str, chunk))


def _ending(way: Way) -> str:
    return ".nii.gz" if way.name == COMPRESSED else ".nii"


def _in_memory(store: Store, case: SampleCase) -> Any:
    """The case with image and mask in memory, and nothing else that is as large."""
    whole = store[case.id]
    return replace(
        whole,
        image=np.asarray(whole.image),
        mask=None if whole.mask is None else np.asarray(whole.mask),
        raters={},
        known={},
        rater_known={},
        shares={},
        instances=None,
        valid=None,
    )


def _volumes(store: Store, case: SampleCase) -> Iterable[tuple[str, NDArray[Any]]]:
    whole = store[case.id]
    for channel in range(case.channels):
        yield f"image-{channel}", np.asarray(whole.image[channel])
    if whole.mask is not None:
        mask = np.asarray(whole.mask)
        for plane in range(len(mask) if mask.ndim == 4 else 1):
            yield f"mask-{plane}", mask[plane] if mask.ndim == 4 else mask


def _from_store(sample: Sample) -> Read:
    return _from_arrays(Store(sample.store).arrays, sample)


def _from_shard(way: Way, sample: Sample) -> Read:
    backend = BACKENDS.get(way.backend)
    assert way.folder is not None
    path = way.folder / f"sample.{backend.suffix}"
    return _from_arrays(partial(Handles(way.backend).arrays, path), sample)


def _from_arrays(arrays_of: Callable[[str], Mapping[str, LazyArray]], sample: Sample) -> Read:
    """The same for a store and for a shard: what they are compared by is where and how their chunks lie."""

    def read(case: int, box: tuple[slice, ...]) -> Any:
        arrays = arrays_of(sample.cases[case].id)
        return [arrays[name][(..., *box)] for name in ("image", "mask") if name in arrays]

    return read


def _from_source(sample: Sample) -> Read:
    """Our own reader, which is faster than others; masks are left out, and so is what brings images onto a grid."""

    def read(case: int, box: tuple[slice, ...]) -> Any:
        one = sample.cases[case]
        assert one.source is not None
        stack = one.source.stack
        array = FORMATS.get(stack.format).read(stack, one.source.paths).array
        return np.ascontiguousarray(array[scaled(box, one.shape, array.shape)])

    return read


def _mapped(way: Way, sample: Sample) -> Read:
    files, types = _nifti_files(way, sample), _types(sample)

    def read(case: int, box: tuple[slice, ...]) -> Any:
        out = []
        for path in files[case]:
            dtype, shape = types[case][_kind(path)], sample.cases[case].shape
            array = np.memmap(path, dtype, "r", offset=_NIFTI_VOXELS, shape=shape)
            out.append(np.ascontiguousarray(array[box]))
        return out

    return read


def _from_nifti(way: Way, sample: Sample) -> Read:
    """Unpacked whole for any patch of it, as a stream without places to begin at has to be."""
    files, types = _nifti_files(way, sample), _types(sample)

    def read(case: int, box: tuple[slice, ...]) -> Any:
        out = []
        for path in files[case]:
            dtype, shape = types[case][_kind(path)], sample.cases[case].shape
            with gzip.open(path) as file:
                array = np.frombuffer(file.read(), dtype, offset=_NIFTI_VOXELS).reshape(shape)
            out.append(np.ascontiguousarray(array[box]))
        return out

    return read


def _kind(path: Path) -> str:
    return "mask" if "mask" in path.name else "image"


def _nifti_files(way: Way, sample: Sample) -> list[list[Path]]:
    assert way.folder is not None
    return [sorted(way.folder.glob(f"{n}-*{_ending(way)}")) for n in range(len(sample.cases))]


def _types(sample: Sample) -> list[dict[str, np.dtype[Any]]]:
    store = Store(sample.store)
    found = [{n: a.dtype for n, a in store.arrays(c.id).items()} for c in sample.cases]
    store.close()
    return found
