"""The ways that are measured, what was measured of each, and which of the required and aimed-at factors hold."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PEERS = Path(__file__).parents[1]
_NNUNET, _VOLUMES = _PEERS / "resample" / "peers", _PEERS / "read" / "peers"
MEMORY_AT_MOST = 200


@dataclass(slots=True, eq=False)
class Way:
    """A way to load with one sampler, by so many patches at a time; slow ones are measured in every third round only."""

    title: str
    name: str
    sampler: str
    files: str
    patches: int = 32
    peer: str = ""
    lists: Path = _PEERS
    is_slow: bool = False
    told: list[dict[str, Any]] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)

    def median(self, name: str) -> float:
        """Median over the rounds."""
        return float(statistics.median(one[name] for one in self.told))


def _nnunet(kind: str, sampler: str) -> Way:
    stored = {"float32": "float32, its default", "int16": "int16"}[kind]
    name = f"nnunet-{kind}"
    return Way(f"nnU-Net's loader, {stored}", name, sampler, name, 32, "nnunet", _NNUNET)


def _monai(name: str, sampler: str, title: str, patches: int) -> Way:
    return Way(f"MONAI CacheDataset, {title}", name, sampler, "nifti-gz", patches, "monai", _VOLUMES)


WAYS = (
    Way("isocenter", "isocenter", "uniform", "isocenter"),
    _nnunet("float32", "uniform"),
    _nnunet("int16", "uniform"),
    Way("h5py, Blosc2 LZ4", "hdf5", "uniform", "hdf5"),
    Way(".nii, nibabel", "nifti", "uniform", "nifti", 16),
    Way(".nii.gz, nibabel", "nifti-gz", "uniform", "nifti-gz", 4, is_slow=True),
    Way(
        "TorchIO Queue, .nii.gz",
        "torchio",
        "uniform",
        "nifti-gz",
        30,
        peer="torchio",
        lists=_VOLUMES,
        is_slow=True,
    ),
    _monai("monai", "uniform", "defaults", 8),
    _monai("monai-shared", "uniform", "copy_cache=False", 16),
    Way("isocenter", "isocenter", "label", "isocenter"),
    _nnunet("float32", "label"),
    _nnunet("int16", "label"),
    _monai("monai", "label", "defaults", 8),
)
# word, the peers of which the faster one counts, how many times less CPU time ours takes at least
LINES = (
    ("required", ("nnunet-float32", "nnunet-int16"), 1.2),
    ("aim", ("nnunet-float32", "nnunet-int16"), 1.6),
    ("aim", ("nnunet-float32", "nnunet-int16"), 2.0),
    ("required", ("monai",), 10.0),
    ("required", ("torchio",), 50.0),
)


def print_results(title: str, ways: Sequence[Way]) -> None:
    """Print a row for each way, and the lines."""
    print(f"{title}; mirrored and cropped as several cases")
    print("Batches of two 128^3 patches, float32 and the mask; no workers, one thread; CPU ms, medians\n")
    for sampler, places in (("uniform", "anywhere"), ("label", "one of two around a labelled voxel")):
        rows = {w.name: w for w in ways if w.sampler == sampler}
        if "isocenter" not in rows:
            continue
        print(f"Places: {places}")
        heads = f"{'rounds':>8}{'CPU ms':>9}{'per CPU s':>11}{'per s':>8}{'x ours':>8}"
        print(f"{'':<40}{heads}{'labelled':>10}{'private MB':>12}{'PSS MB':>8}")
        for way in rows.values():
            print(_row(way, rows["isocenter"]))
        print()
        for word, names, least in LINES:
            _print_line(word, [rows[n] for n in names if n in rows], least, rows["isocenter"])
        _print_memory(rows["isocenter"])
        print()


def _row(way: Way, ours: Way) -> str:
    cpu = way.median("cpu")
    times = f"{1e3 * cpu:>9.1f}{1 / cpu:>11.1f}{1 / way.median('wall'):>8.1f}{cpu / ours.median('cpu'):>8.2f}"
    memory = f"{way.memory[0] / 1e6:>12.0f}{way.memory[1] / 1e6:>8.0f}" if way.memory else ""
    return f"{way.title:<40}{len(way.told):>8}{times}{way.median('labelled'):>10.3f}{memory}"


def _print_line(word: str, others: Sequence[Way], least: float, ours: Way) -> None:
    if not others:
        return
    other = min(others, key=lambda w: w.median("cpu"))
    ratio = other.median("cpu") / ours.median("cpu")
    holds = "holds" if ratio >= least else "DOES NOT HOLD"
    print(f"{word:<9}{f'against {other.title}':<60}{ratio:>7.2f}x  at least {least:g}x: {holds}")


def _print_memory(ours: Way) -> None:
    if not ours.memory:
        return
    most = ours.memory[0] / 1e6
    holds = "holds" if most <= MEMORY_AT_MOST else "DOES NOT HOLD"
    print(f"{'required':<9}{'peak of private memory over that after imports':<60}{most:>5.0f} MB", end="")
    print(f"  at most {MEMORY_AT_MOST} MB: {holds}")
