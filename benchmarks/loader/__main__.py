"""Measures loading batches for training, against the loaders that are in use, in one run.

Every way runs in a process of its own, without workers and with one thread; a peer runs in its own environment. The ways
take turns, and what is judged are the ratios of CPU time of a patch. Memory is measured afterwards in a new process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.index import peers
from benchmarks.index.children import Child, ChildFailedError
from benchmarks.loader.cases import FEW, MANY
from benchmarks.loader.results import WAYS, Way, print_results
from benchmarks.store.volume import make

SLOW_EVERY = 3
MEMORY_PATCHES = 16


def main() -> None:
    """Measure what the command line asks for."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    if chosen.data is None:
        raise SystemExit("name a folder with the real files: --data FOLDER or ISOCENTER_REAL_DATA")
    ways = [w for w in WAYS if not (chosen.ours and w.peer)]
    with contextlib.ExitStack() as stack:
        folder = Path(
            chosen.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="isocenter-bench-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        told = folder / "title.txt"
        if not told.exists():
            told.write_text(make(Path(chosen.data), folder), encoding="utf-8")
        _make(ways, folder, chosen.cases)
        _measure(ways, folder, chosen.rounds)
        for way in ways:
            _measure_memory(way, folder)
        print_results(told.read_text(encoding="utf-8"), [w for w in ways if w.told])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench loader", description="Measure loading for training")
    add = parser.add_argument
    add("--data", default=os.environ.get("ISOCENTER_REAL_DATA"), help="the folder with the real files")
    add("--rounds", type=int, default=10, help="how often each way takes its turn; slow ones every third")
    add("--cases", type=int, default=MANY, help=f"how many cases; for ways with whole volumes at most {FEW}")
    add("--ours", action="store_true", help="without the peers that need an environment of their own")
    add("--keep", help="a folder to keep the files in, and to take from it those that are there already")
    return parser.parse_args()


def _make(ways: Sequence[Way], folder: Path, cases: int) -> None:
    """Make the files of all ways, each kind once."""
    for kind, way in {w.files: w for w in ways}.items():
        mark = folder / f"{kind}.made"
        if not mark.exists():
            print(f"making {kind} ...", file=sys.stderr)
            command = [_python(way), "-m", "benchmarks.loader.making", kind, str(folder), str(cases)]
            with Child(command) as child:
                child.answer()
                child.process.wait()
                if child.process.returncode:
                    child.fail()
            mark.touch()


def _measure(ways: Sequence[Way], folder: Path, rounds: int) -> None:
    """Let the ways take turns; the first one of each opens files and compiles, and does not count."""
    with contextlib.ExitStack() as stack:
        children = {}
        for way in ways:
            children[way] = stack.enter_context(_child(way, folder))
            if _ask(way, children[way], 2, is_memory=False) is None:
                del children[way]
        for number in range(rounds):
            for way in [w for w in children if not (w.is_slow and number % SLOW_EVERY)]:
                told = _ask(way, children[way], way.patches, is_memory=False)
                if told is None:
                    del children[way]
                else:
                    way.told.append(told)


def _measure_memory(way: Way, folder: Path) -> None:
    with _child(way, folder) as child:
        told = _ask(way, child, max(way.patches, MEMORY_PATCHES), is_memory=True)
        way.memory = told["memory"] if told else []


def _child(way: Way, folder: Path) -> Child:
    return Child([_python(way), "-m", "benchmarks.loader.ways", way.name, way.sampler, str(folder)])


def _python(way: Way) -> str:
    return peers.interpreter(way.peer, way.lists) if way.peer else sys.executable


def _ask(way: Way, child: Child, patches: int, *, is_memory: bool) -> dict[str, Any] | None:
    """What the child tells; None, and a word to the user, where it fails."""
    assert child.process.stdin is not None
    assert child.process.stdout is not None
    try:
        child.process.stdin.write(json.dumps({"patches": patches, "is_memory": is_memory}) + "\n")
        child.process.stdin.flush()
        line = child.process.stdout.readline()
        if not line:
            child.fail()
    except ChildFailedError as error:
        print(f"{way.title} failed: {error}", file=sys.stderr)
        return None
    told: dict[str, Any] = json.loads(line)
    return told


if __name__ == "__main__":
    main()
