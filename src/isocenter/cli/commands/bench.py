"""Measure what reading patches costs on your own cases: the store against raw files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from isocenter.base.errors import ConfigError
from isocenter.bench.bench import ASKED_MEMORY, ASKED_SPEED, LEAST_GAIN, Bench, Factor
from isocenter.bench.bench import bench as bench_of
from isocenter.cli.console import show
from isocenter.cli.drawing import drawn
from isocenter.cli.flags import AsJson

app = typer.Typer(add_completion=False)


@app.command()
def bench(
    workspace: Annotated[Path, typer.Argument(help="A workspace that holds a store, or a store.")] = Path(
        "work"
    ),
    *,
    patch: Annotated[
        str, typer.Option(metavar="K,J,I", help="Size of a patch in voxels, or one number for all three.")
    ] = "128",
    seconds: Annotated[float, typer.Option(min=1.0, help="About how long to measure.")] = 20.0,
    cases: Annotated[int, typer.Option(min=1, help="How many cases to sample at most.")] = 6,
    as_json: AsJson = False,
) -> None:
    """Measure patches from the store against the raw files, and say what was measured of "3 times faster".

    The same patches are read every way in turn, each in a process of its own, from memory and from the disk. Nothing is
    claimed: the factors are those of these cases on this machine.
    """
    with drawn() as progress:
        found = bench_of(workspace, patch=_sizes(patch), seconds=seconds, most_cases=cases, progress=progress)
    show(_document(found), _lines(found), as_json=as_json)


def _sizes(text: str) -> tuple[int, int, int]:
    try:
        sizes = [int(n) for n in text.replace("x", ",").split(",")]
    except ValueError:
        sizes = []
    if len(sizes) not in {1, 3} or min(sizes) < 1:
        raise ConfigError(f"--patch {text!r}: three sizes of at least 1 (k,j,i), or one for all three")
    k, j, i = sizes * (3 // len(sizes))
    return k, j, i


def _document(found: Bench) -> dict[str, object]:
    return {
        **asdict(found),
        "factors": [
            {**asdict(f), "is_faster": f.is_faster, "is_smaller": f.is_smaller} for f in found.factors
        ],
        "workers": {str(n): rate for n, rate in found.workers.items()},
    }


def _lines(found: Bench) -> Iterator[str]:
    some, all_ = found.cases
    size = " x ".join(map(str, found.patch))
    yield f"patches of {size} voxels, image and mask, of {some} of {all_} cases"
    yield ""
    width = max(len(m.title) for m in found.ways)
    yield (
        f"{'':<{width}}  {'patches/s':>9} {'ms':>8} {'95 %':>8} {'CPU ms':>8} {'cold ms':>8} {'cold MB':>8}"
        f" {'PSS MB':>7} {'/ raw':>6}"
    )
    for m in found.ways:
        share = f"{m.share_of_raw:6.2f}" if m.share_of_raw else " " * 6
        yield (
            f"{m.title:<{width}}  {m.patches_per_second:9.1f} {m.median_ms:8.2f} {m.p95_ms:8.2f} {m.cpu_ms:8.2f}"
            f" {m.cold_ms:8.1f} {m.cold_bytes / 1e6:8.2f} {m.peak_bytes / 1e6:7.0f} {share}"
        )
    for name, why in found.left_out.items():
        yield f"{name:<{width}}  left out: {why}"
    yield ""
    for factor in found.factors:
        yield from _judged(factor)
    yield ""
    told = ", ".join(f"{name} {ms:.1f} ms" for name, (ms, _) in sorted(found.chunks.items(), key=_by_time))
    advice = (
        f"{found.chunk} as it is, no difference: no other saves {LEAST_GAIN:.0%} and is faster in every round"
        if found.best_chunk == found.chunk
        else f"{found.best_chunk} (it has {found.chunk})"
    )
    yield f"chunk: {advice}; CPU of a patch: {told}"
    rates = ", ".join(f"{n}: {rate:.0f}/s" for n, rate in found.workers.items())
    yield f"workers: {found.best_workers}; patches by number of processes: {rates}"


def _by_time(pair: tuple[str, tuple[float, float]]) -> float:
    return pair[1][0]


def _judged(factor: Factor) -> Iterator[str]:
    speed = "yes" if factor.is_faster else "NO"
    memory = "yes" if factor.is_smaller else "NO"
    yield f"against {factor.title}:"
    yield f"  {factor.faster:.1f} times faster (CPU {factor.cpu:.1f}); {ASKED_SPEED:g} times: {speed}"
    more = f"{factor.less_memory:.0%} less" if factor.less_memory >= 0 else f"{-factor.less_memory:.0%} more"
    yield f"  {more} memory; {ASKED_MEMORY:.0%} less: {memory}"
