"""Ways to keep an image and its mask and to read parts of them; each runs in a process, and a peer in its environment.

Usage, by the interpreter of the way: python -m benchmarks.store.ways NAME FOLDER; then a request in JSON per line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

CHUNK = (32, 32, 32)
SHARD = (128, 128, 128)
Reader = Callable[[tuple[slice, ...]], tuple[Any, Any]]


def main() -> None:
    """Answer requests: to write, and to read boxes; CPU seconds, and sums of what was read."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    np: Any = import_module("numpy")
    write, open_store = WAYS[name]
    base = _memory()
    print("ready", flush=True)
    read = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "write":
            image, mask = np.load(folder / "image.npy"), np.load(folder / "mask.npy")
            start = time.process_time()
            write(folder / name, image, mask)
            _answer({"cpu": time.process_time() - start})
            continue
        if read is None:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
            read = open_store(folder / name)
        total, start, used = 0, 0.0, 0.0
        for box in request["boxes"]:
            where = tuple(slice(a, b) for a, b in box)
            start = time.process_time()
            image, mask = read(where)
            used += time.process_time() - start
            total += int(image[..., ::7, ::5].sum(dtype=np.int64)) + int(
                mask[..., ::7, ::5].sum(dtype=np.int64)
            )
            del image, mask
        now = _memory()
        _answer(
            {
                "cpu": used / len(request["boxes"]),
                "sum": total,
                "memory": [b - a for a, b in zip(base, now, strict=True)],
            }
        )


def _answer(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


def _memory() -> list[int]:
    """Bytes: the peak, and what is private of what is held now."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    held = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmHWM", "RssAnon"))}
    return [int(held["VmHWM"]) * 1024, int(held["RssAnon"]) * 1024]


def memory() -> tuple[Callable[..., None], Callable[[Path], Reader]]:
    """Both arrays in memory, the part copied out of them: the floor."""

    def open_store(path: Path) -> Reader:
        np: Any = import_module("numpy")
        image, mask = np.load(path.parent / "image.npy"), np.load(path.parent / "mask.npy")
        return lambda where: (image[where].copy(), mask[where].copy())

    return lambda *_: None, open_store


def npy() -> tuple[Callable[..., None], Callable[[Path], Reader]]:
    """Uncompressed files, mapped."""

    def write(path: Path, image: Any, mask: Any) -> None:
        np: Any = import_module("numpy")
        path.mkdir(exist_ok=True)
        np.save(path / "image.npy", image)
        np.save(path / "mask.npy", mask)

    def open_store(path: Path) -> Reader:
        np: Any = import_module("numpy")
        image, mask = (np.load(path / f"{n}.npy", mmap_mode="r") for n in ("image", "mask"))
        return lambda where: (np.array(image[where]), np.array(mask[where]))

    return write, open_store


def isocenter(backend: str, *, into: bool = False) -> tuple[Callable[..., None], Callable[[Path], Reader]]:
    """A shard of ours: hashed, written, read back, hashed again and renamed; read with every check sum compared."""

    def write(path: Path, image: Any, mask: Any) -> None:
        shard: Any = import_module("isocenter.stores.shard")
        arrays = {"image": image[None], "mask": mask}
        digests = {n: shard.digest_of_array(a) for n, a in arrays.items()}
        path.mkdir(exist_ok=True)
        with shard.BACKENDS.get(backend).create(path / "shard", chunk=CHUNK) as writer:
            writer.put(shard.Record("case", arrays, {"digests": digests}))

    def open_store(path: Path) -> Reader:
        np: Any = import_module("numpy")
        shard: Any = import_module("isocenter.stores.shard")
        folder = path.parent / path.name.removesuffix("-out")
        reader = shard.BACKENDS.get(backend).open(folder / "shard", cache_bytes=32 << 20)
        held: dict[Any, Any] = {}

        def read(where: tuple[slice, ...]) -> tuple[Any, Any]:
            size = tuple(s.stop - s.start for s in where)
            if into and size not in held:
                held[size] = np.empty((1, *size), np.int16), np.empty(size, np.uint8)
            image, mask = held.get(size, (None, None))
            image = reader.read("case", "image", (slice(0, 1), *where), image)
            return image, reader.read("case", "mask", where, mask)

        return read

    return (lambda *_: None) if into else write, open_store


def h5py() -> tuple[Callable[..., None], Callable[[Path], Reader]]:
    """The shard of ours as anybody reads it: h5py with hdf5plugin."""

    def open_store(path: Path) -> Reader:
        library: Any = import_module("h5py")
        import_module("hdf5plugin")
        file = library.File(path.parent / "isocenter" / "shard", "r", locking=False)
        image, mask = file["case/image"], file["case/mask"]
        return lambda where: (image[(slice(0, 1), *where)], mask[where])

    return lambda *_: None, open_store


def zarr() -> tuple[Callable[..., None], Callable[[Path], Reader]]:
    """Zarr v3, sharded, with the same compression."""

    def write(path: Path, image: Any, mask: Any) -> None:
        library: Any = import_module("zarr")
        codecs: Any = import_module("zarr.codecs")
        group = library.create_group(path, overwrite=True)
        for name, array in {"image": image, "mask": mask}.items():
            blosc = codecs.BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle", typesize=array.itemsize)
            group.create_array(name, data=array, chunks=CHUNK, shards=SHARD, compressors=[blosc])

    def open_store(path: Path) -> Reader:
        library: Any = import_module("zarr")
        image, mask = (library.open_array(path / n, mode="r") for n in ("image", "mask"))
        return lambda where: (image[where], mask[where])

    return write, open_store


def nnunet(*, is_open: bool) -> tuple[Callable[..., None], Callable[[Path], Reader]]:
    """nnU-Net's own data set class, its chunks for the patch, int16 and uint8 (its default is float32).

    Its loader opens a case for each patch; `is_open` leaves that out.
    """

    def module() -> Any:
        return import_module("nnunetv2.training.dataloading.nnunet_dataset")

    def write(path: Path, image: Any, mask: Any) -> None:
        path.mkdir(exist_ok=True)
        for old in path.iterdir():
            old.unlink()
        sizes: dict[str, Any] = {}
        for suffix, array in {"": image, "_seg": mask}.items():
            blocks, chunks = module().comp_blosc2_params((1, *array.shape), SHARD, array.itemsize)
            sizes |= {f"blocks{suffix}": blocks, f"chunks{suffix}": chunks}
        module().nnUNetDatasetBlosc2.save_case(image[None], mask[None], {}, str(path / "case"), **sizes)

    def open_store(path: Path) -> Reader:
        data = module().nnUNetDatasetBlosc2(str(path.parent / "nnunet"), ["case"])
        opened = data["case"] if is_open else None

        def read(where: tuple[slice, ...]) -> tuple[Any, Any]:
            image, mask = (opened or data["case"])[:2]
            return image[(slice(0, 1), *where)], mask[(slice(0, 1), *where)]

        return read

    return (lambda *_: None) if is_open else write, open_store


def nifti() -> tuple[Callable[..., None], Callable[[Path], Reader]]:
    """Compressed NIfTI by nibabel."""

    def write(path: Path, image: Any, mask: Any) -> None:
        library: Any = import_module("nibabel")
        np: Any = import_module("numpy")
        path.mkdir(exist_ok=True)
        for name, array in {"image": image, "mask": mask}.items():
            library.save(library.Nifti1Image(array.T, np.eye(4)), path / f"{name}.nii.gz")

    def open_store(path: Path) -> Reader:
        library: Any = import_module("nibabel")
        np: Any = import_module("numpy")

        def read(where: tuple[slice, ...]) -> tuple[Any, Any]:
            image, mask = (
                library.load(path / f"{n}.nii.gz").dataobj[where[::-1]].T for n in ("image", "mask")
            )
            return np.ascontiguousarray(image), np.ascontiguousarray(mask)

        return read

    return write, open_store


WAYS: dict[str, tuple[Callable[..., None], Callable[[Path], Reader]]] = {
    "memory": memory(),
    "isocenter": isocenter("hdf5"),
    "isocenter-out": isocenter("hdf5", into=True),
    "isocenter-lmdb": isocenter("lmdb"),
    "h5py": h5py(),
    "nnunet": nnunet(is_open=False),
    "nnunet-open": nnunet(is_open=True),
    "npy": npy(),
    "zarr": zarr(),
    "nifti": nifti(),
}

if __name__ == "__main__":
    main()
