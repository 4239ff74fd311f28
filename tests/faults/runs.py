"""Builds a cohort under faults: `python -m tests.faults.runs BACKEND FOLDER SHARE MOMENTS`.

A share of the steps of the commit protocol (every making, sync, renaming and removal of a file) is drawn by lot, and at
each the process is killed, the call fails, or the disk is full from then on; and it is killed at some moments. Prints what was wrong: a store that opens and is not sound, or a next run that does not end with the bytes of
a run to which nothing happened.
"""

import json
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import isocenter
from isocenter.base.errors import IsocenterError
from isocenter.stores.store import Store
from tests.faults.interposed import CRASHED, REFUSED, End, fault, killed_after
from tests.properties.tiny import SITES, bytes_of, write_cohort, write_patient


class Scene:
    """An archive that has grown since a workspace was made of it; all is planned, and the build is to begin."""

    def __init__(self, backend: str, folder: Path) -> None:
        self._how = {
            "store": {"shard_bytes": 1 << 12, "backend": backend},
            "standardise": {"spacing": "median"},
        }
        self.archive = folder / "archive"
        for n in range(3):
            write_patient(self.archive, SITES[n % 2], f"p{n}", seed=n)
        self.begun, self.place = folder / "begun", folder / "place"
        write_cohort(self.begun, self.archive, **self._how)
        self._begin("build")
        shutil.rmtree(self.archive / "north" / "p0")
        for n in range(3, 5):
            write_patient(self.archive, SITES[n % 2], f"p{n}", seed=n)
        self._begin("enrol")
        self.reset()
        start = time.monotonic()
        self.steps = fault(self.run, self.place / "work", "count", only_protocol=True).seen
        self.seconds = time.monotonic() - start
        self.whole = bytes_of(self.place / "work")
        assert "store/manifest.json" in self.whole
        self.reset()

    def reset(self) -> None:
        """The workspace as it was before."""
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.begun, self.place)

    def run(self) -> None:
        """What is done under faults."""
        self._run(self.place, "build")

    def struck(self, kind: str, at: float) -> tuple[str, str]:
        """How a run ended that something befell, and what was wrong with that, or ""."""
        if kind == "moment":
            end = killed_after(self.run, at)
        else:
            refusals = (IsocenterError, OSError)
            end = fault(self.run, self.place / "work", kind, int(at), refusals=refusals, only_protocol=True)
        name = "killed" if end.signal else {0: "done", REFUSED: "refused"}.get(end.code, "crashed")
        return name, self._wrong(end)

    def _wrong(self, end: End) -> str:
        if end.signal not in {0, signal.SIGKILL, signal.SIGALRM}:
            return f"died of signal {end.signal}"
        if end.code == CRASHED:
            return "ended with an error of another kind"
        if not self._sound(self._open):
            return "left a store that opens and is not sound"
        if end == End(0, 0, end.seen) and bytes_of(self.place / "work") != self.whole:
            return "said that it was done, and was not"
        if not self._sound(self.run):
            return "could not be run again"
        now = bytes_of(self.place / "work")
        other = sorted(n for n in now.keys() | self.whole.keys() if now.get(n) != self.whole.get(n))
        return f"ended with other bytes: {other}" if other else ""

    def _begin(self, until: str) -> None:
        assert self._sound(lambda: self._run(self.begun, until))

    def _run(self, place: Path, until: str) -> None:
        made = isocenter.run(place / "cohort.yaml", until=until)
        assert made.gate is None

    def _open(self) -> None:
        store = self.place / "work" / "store"
        if (store / "manifest.json").exists():
            assert Store(store).verify() == []

    def _sound(self, work) -> bool:
        """Whether some work holds in a process of its own: this one forks, and so has no threads of any library."""
        return fault(work, Path("/nowhere"), "count") == End(0, 0, 0)


def main() -> None:
    backend, folder, share, moments = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    scene = Scene(backend, folder)
    lot = random.Random(backend)
    ends: Counter[str] = Counter()
    wrong = []
    faults = [
        (kind, at)
        for kind in ("kill", "full", "fail")
        for at in sorted(lot.sample(range(1, scene.steps + 1), max(1, round(share * scene.steps))))
    ]
    faults += [("moment", lot.uniform(0.0, 1.0) * scene.seconds) for _ in range(moments)]
    for kind, at in faults:
        name, what = scene.struck(kind, at)
        ends[f"{kind}: {name}"] += 1
        if what:
            wrong.append([kind, at, what])
        scene.reset()
    json.dump({"steps": scene.steps, "ends": ends, "wrong": wrong}, sys.stdout)


if __name__ == "__main__":
    main()
