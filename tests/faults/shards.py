"""Rewrites a shard under faults: `python -m tests.faults.shards BACKEND FOLDER KIND STEP`.

Prints how many changes of files there are, how the processes ended, and every time something was wrong: a shard
that is neither the old nor the new one, an error of another kind, a next run that ends with other bytes.
"""

import json
import shutil
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from isocenter.base.errors import StoreError
from isocenter.stores.shard import BACKENDS, Record, digest_of_array
from tests.faults.interposed import CRASHED, KINDS, REFUSED, fault

CHUNK = (8, 16, 16)


def make_record(case_id: str, seed: int) -> Record:
    """A record of an image that hardly shrinks and a mask that does."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((16, 48, 48), np.uint8)
    mask[4:9, 10:20, 10:20] = 1
    arrays = {"image": rng.integers(-1024, 3071, (1, 16, 48, 48)).astype(np.int16), "mask": mask}
    return Record(case_id, arrays, {"digests": {n: digest_of_array(a) for n, a in arrays.items()}})


class Scene:
    """A shard of three cases, of which one is kept, one is fixed, one is gone, and one is new."""

    def __init__(self, backend: str, folder: Path) -> None:
        self._backend = BACKENDS.get(backend)
        self.folder = folder / "shards"
        self.folder.mkdir()
        self.path = self.folder / f"00000.{self._backend.suffix}"
        with self._backend.create(self.path, chunk=CHUNK) as writer:
            for n in range(3):
                writer.put(make_record(f"case-{n}", n))
        self._backup = folder / "backup"
        shutil.copy(self.path, self._backup)
        self.before = self.path.read_bytes()
        self.rewrite()
        self.after = self.path.read_bytes()
        self.reset()

    def rewrite(self) -> None:
        """What is done under faults."""
        with self._backend.create(self.path, chunk=CHUNK) as writer:
            writer.keep(self.path, "case-0")
            writer.put(make_record("case-1", 11))
            writer.put(make_record("case-3", 3))

    def reset(self) -> None:
        """The shard as it was before."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        shutil.copy(self._backup, self.path)

    def wrong(self, kind: str, at: int) -> tuple[str, str]:
        """How a process ended whose change number `at` went wrong, and what was wrong with that, or ""."""
        end = fault(self.rewrite, self.folder, kind, at, refusals=(StoreError,))
        # a disk that loses what it was given may also cost LMDB the process: that is told too
        name = "killed" if end.signal else {0: "done", REFUSED: "refused"}.get(end.code, "crashed")
        data = self.path.read_bytes() if self.path.exists() else b""
        seen = [p.name for p in self.folder.iterdir() if not p.name.startswith(".")]
        what = ""
        if end.signal and kind not in {"kill", "tear", "lose"}:
            what = f"died of signal {end.signal}"
        elif end.code == CRASHED:
            what = "ended with an error of another kind"
        elif data not in (self.before, self.after):
            what = "left a shard that is neither the old nor the new one"
        elif name == "done" and data != self.after:
            what = "said that it was done, and was not"
        elif seen != [self.path.name]:
            what = f"left {seen}"
        else:
            self.rewrite()
            if self.path.read_bytes() != self.after:
                what = "ended with other bytes when it was done again"
            elif [p.name for p in self.folder.iterdir()] != [self.path.name]:
                what = "left something behind when it was done again"
        self.reset()
        return name, what


def main() -> None:
    backend, folder, kind, step = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    scene = Scene(backend, folder)
    log = folder / "log"
    steps = fault(scene.rewrite, scene.folder, "count", log=log).seen
    scene.reset()
    ends: Counter[str] = Counter()
    wrong = []
    for at in range(1, steps + 2, step):
        name, what = scene.wrong(kind, at)
        ends[name] += 1
        if what:
            wrong.append([at, what])
    changes = [line.split("\t") for line in log.read_text(encoding="utf-8").splitlines()]
    said = [[what, Path(a).name, Path(b).name] for what, a, b in changes]
    json.dump({"steps": steps, "ends": ends, "wrong": wrong, "changes": said}, sys.stdout)


if __name__ == "__main__":
    assert sys.argv[3] in KINDS
    main()
