"""Measures keeping an image and its mask, and reading parts of them, against peers and against memory, in one run.

Every way runs in a process of its own, a peer in its own environment, and all take turns at the same boxes; what is
judged are the ratios of CPU time within the run, of one thread each. Every way must read the same voxels.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index import peers
from benchmarks.index.children import Child
from benchmarks.store.sizes import sizes
from benchmarks.store.volume import make
from benchmarks.store.ways import CHUNK
from isocenter.stores.shard import BACKENDS

PATCH = (128, 128, 128)
PATCHES, WHOLE_EVERY = 8, 5
PEERS = Path(__file__).parents[1]


@dataclass(slots=True)
class Way:
    """A way, and what was measured of it."""

    title: str
    peer: str = ""
    lists: Path = PEERS / "store" / "peers"
    is_slow: bool = False
    seconds: dict[str, list[float]] = field(default_factory=dict)
    size: float = 0.0
    memory: tuple[int, int] = (0, 0)


WAYS = {
    "memory": Way("floor: copied out of memory"),
    "isocenter": Way("isocenter, HDF5"),
    "isocenter-out": Way("isocenter, HDF5, into the same array"),
    "isocenter-lmdb": Way("isocenter, LMDB"),
    "h5py": Way("the same shard, h5py + hdf5plugin"),
    "nnunet": Way("nnU-Net, b2nd, opened for each patch", "nnunet", PEERS / "resample" / "peers"),
    "nnunet-open": Way("nnU-Net, b2nd, held open", "nnunet", PEERS / "resample" / "peers"),
    "npy": Way(".npy, mapped"),
    "zarr": Way("Zarr, sharded, Blosc", "zarr"),
    "nifti": Way(".nii.gz, nibabel", is_slow=True),
}
# word, kind, ours, other, at most this times the other
LINES = (
    ("required", "patch", "isocenter", "nnunet", 1.3),
    ("required", "patch", "isocenter", "memory", 4.0),
    ("required", "patch", "isocenter", "nnunet-open", 1.3),
    ("aim", "patch", "isocenter", "nnunet", 1.0),
    ("aim", "patch", "isocenter", "nnunet-open", 1.0),
    ("aim", "patch", "isocenter", "memory", 2.5),
    ("required", "write", "isocenter", "nnunet", 1 / 5),
    ("required", "patch", "isocenter-lmdb", "nnunet", 1.3),
)


def main() -> None:
    """Measure what the command line asks for."""
    chosen = _arguments()
    if chosen.data is None:
        raise SystemExit("name a folder with the real files: --data FOLDER or ISOCENTER_REAL_DATA")
    ways = {n: w for n, w in WAYS.items() if not (chosen.ours and w.peer)}
    if "lmdb" not in BACKENDS.names():
        del ways["isocenter-lmdb"]
    with tempfile.TemporaryDirectory(prefix="isocenter-bench-") as name:
        title = make(Path(chosen.data), Path(name))
        shape = np.load(Path(name) / "image.npy", mmap_mode="r").shape
        measure(ways, Path(name), shape, chosen.rounds)
        print_results(title, shape, ways)
    print_sizes(Path(chosen.data))


def measure(ways: dict[str, Way], folder: Path, shape: tuple[int, ...], rounds: int) -> None:
    """Let all ways write, and then take turns at reading."""
    with contextlib.ExitStack() as stack:
        children = {name: stack.enter_context(_child(name, way, folder)) for name, way in ways.items()}
        for name, child in children.items():
            child.wait_until_ready()
            for _ in range(1 if ways[name].is_slow else 3):
                told = _ask(child, {"do": "write"})
                ways[name].seconds.setdefault("write", []).append(told["cpu"])
            ways[name].size = _size(folder / name) / (3 * np.prod(shape))
        for number in range(rounds):
            draw = random.Random(number)  # noqa: S311 - places of patches
            asked = {"patch": [_patch(shape, draw) for _ in range(PATCHES)], "slice": [_slice(shape, draw)]}
            if number % WHOLE_EVERY == 0:
                asked["whole"] = [[(0, n) for n in shape]]
            for kind, boxes in asked.items():
                _take_turns(ways, children, kind, boxes, number)


def _take_turns(
    ways: dict[str, Way], children: dict[str, Child], kind: str, boxes: list[Any], number: int
) -> None:
    sums: set[int] = set()
    for name, child in children.items():
        if ways[name].is_slow and (number % WHOLE_EVERY or kind == "slice"):
            continue
        told = _ask(child, {"do": "read", "boxes": boxes})
        if not sums:
            sums.add(told["sum"])
        elif told["sum"] not in sums:
            sys.exit(f"{name} read other voxels than were written")
        if number or ways[name].is_slow:  # the first round opens files and compiles
            ways[name].seconds.setdefault(kind, []).append(told["cpu"])
        if kind == "patch":
            ways[name].memory = told["memory"]


def print_results(title: str, shape: tuple[int, ...], ways: dict[str, Way]) -> None:
    """Print a row for each way, and the lines."""
    middle = {n: {k: statistics.median(s) for k, s in w.seconds.items()} for n, w in ways.items()}
    print(f"{title}: {shape}, int16 and uint8, {3 * np.prod(shape) / 1e6:.0f} MB; patches {PATCH}")
    print(
        "CPU ms, medians, one thread; warm files; memory over that after imports: peak so far, and private now\n"
    )
    heads = f"{'patch':>9}{'x floor':>9}{'slice':>9}{'whole':>9}{'write':>9}{'size/raw':>9}"
    print(f"{'':<42}{heads}{'peak MB':>9}{'private':>9}")
    for name, way in ways.items():
        took = middle[name]
        times = "".join(
            f"{took[k] * 1e3:>9.2f}" if k in took else f"{'':>9}" for k in ("slice", "whole", "write")
        )
        ratio = took["patch"] / middle["memory"]["patch"]
        row = f"{took['patch'] * 1e3:>9.2f}{ratio:>9.2f}{times}{way.size:>9.3f}"
        print(f"{way.title:<42}{row}{way.memory[0] / 1e6:>9.0f}{way.memory[1] / 1e6:>9.0f}")
    print()
    for word, kind, ours, other, most in LINES:
        if ours in middle and other in middle:
            ratio = middle[ours][kind] / middle[other][kind]
            holds = "holds" if ratio <= most else "DOES NOT HOLD"
            print(
                f"{word:<9} {kind:<6} {WAYS[ours].title} / {WAYS[other].title}: {ratio:.2f}, at most {most:g}: {holds}"
            )


def print_sizes(data: Path) -> None:
    """Print what the real CTs come to, without masks."""
    print("\nsize of real CTs over int16, without masks: stored, and JPEG-LS of each slice")
    for name, shape, stored, jpegls in sizes(data, CHUNK):
        print(f"{name:<50}{shape!s:<18}{stored:>8.3f}{jpegls:>8.3f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench store", description="Measure the store")
    add = parser.add_argument
    add("--data", default=os.environ.get("ISOCENTER_REAL_DATA"), help="the folder with the real files")
    add("--rounds", type=int, default=16, help="how often each way takes its turn")
    add("--ours", action="store_true", help="without the peers that need an environment of their own")
    return parser.parse_args()


def _child(name: str, way: Way, folder: Path) -> Child:
    python = peers.interpreter(way.peer, way.lists) if way.peer else sys.executable
    return Child([python, "-m", "benchmarks.store.ways", name, str(folder)])


def _ask(child: Child, request: dict[str, Any]) -> dict[str, Any]:
    assert child.process.stdin is not None
    assert child.process.stdout is not None
    child.process.stdin.write(json.dumps(request) + "\n")
    child.process.stdin.flush()
    line = child.process.stdout.readline()
    if not line:
        child.fail()
    told: dict[str, Any] = json.loads(line)
    return told


def _patch(shape: tuple[int, ...], draw: random.Random) -> list[tuple[int, int]]:
    corner = [draw.randrange(n - p + 1) for n, p in zip(shape, PATCH, strict=True)]
    return [(c, c + p) for c, p in zip(corner, PATCH, strict=True)]


def _slice(shape: tuple[int, ...], draw: random.Random) -> list[tuple[int, int]]:
    k = draw.randrange(shape[0])
    return [(k, k + 1), (0, shape[1]), (0, shape[2])]


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


if __name__ == "__main__":
    main()
