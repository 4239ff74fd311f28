"""Flips bits in a store and cuts its files off: `python -m tests.faults.damage BACKEND FOLDER FLIPS CUTS`.

Prints what was not found by `isocenter verify`, what `verify="read"` gave that is not what was packed, and every error
that is not one of ours. A signal ends this process, which the test that started it sees.
"""

import json
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from isocenter.base.errors import StoreError
from isocenter.cli.commands.verify import app
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case


class Damaged:
    """A store of which one file at a time is damaged."""

    def __init__(self, backend: str, folder: Path) -> None:
        self.root = build(folder / "store", [make_case(n) for n in range(4)], backend=backend)
        self.files = sorted(p for p in self.root.rglob("*") if p.is_file())
        store = Store(self.root)
        self._truth = {c: {n: np.asarray(a) for n, a in store.arrays(c).items()} for c in store}
        self._meta = {c: store.meta(c) for c in store}
        store.close()
        self.found: Counter[str] = Counter()
        self.wrong: list[list[str]] = []

    def strike(self, path: Path, data: bytes, what: str) -> None:
        """Put other bytes into a file, look whether that is found, and put the right ones back."""
        before = path.read_bytes()
        path.write_bytes(data)
        try:
            told = self._told(what)
            self._read(f"{what}", told)
        except Exception as error:  # noqa: BLE001 - any error that is not ours is a fault of ours
            self.wrong.append([what, repr(error)])
        finally:
            path.write_bytes(before)

    def _told(self, what: str) -> bool:
        ended = CliRunner().invoke(app, [str(self.root), "--json"])
        self.found[f"exit {ended.exit_code}"] += 1
        is_told = ended.exit_code == 1 or isinstance(ended.exception, StoreError)
        if not is_told:
            self.wrong.append([what, f"verify did not find it: {ended.exit_code} {ended.exception!r}"])
        return is_told

    def _read(self, what: str, is_told: bool) -> None:
        """Read everything: what is not an error is what was packed."""
        try:
            store = Store(self.root, verify="read")
            for case, arrays in self._truth.items():
                for name, array in arrays.items():
                    try:
                        read = np.asarray(store.arrays(case)[name])
                    except (StoreError, KeyError):
                        self.found["reads refused"] += 1
                        continue
                    if read.dtype != array.dtype or read.tobytes() != array.tobytes():
                        self.wrong.append([what, f"{case} {name} was read wrong"])
                try:
                    if store.meta(case) != self._meta[case]:
                        self.wrong.append([what, f"facts of {case} were read wrong"])
                except (StoreError, KeyError):
                    self.found["reads refused"] += 1
            store.close()
        except StoreError:
            self.found["stores refused"] += 1


def main() -> None:
    backend, folder, flips, cuts = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    damaged = Damaged(backend, folder)
    lot = random.Random(backend)
    sizes = [p.stat().st_size for p in damaged.files]
    for path in lot.choices(damaged.files, [s**0.5 for s in sizes], k=flips):
        data = bytearray(path.read_bytes())
        at, bit = lot.randrange(len(data)), lot.randrange(8)
        data[at] ^= 1 << bit
        damaged.strike(path, bytes(data), f"{path.name} byte {at} bit {bit}")
    for path in lot.choices(damaged.files, k=cuts):
        length = lot.randrange(path.stat().st_size)
        damaged.strike(path, path.read_bytes()[:length], f"{path.name} cut at {length}")
    json.dump({"found": damaged.found, "wrong": damaged.wrong}, sys.stdout)


if __name__ == "__main__":
    main()
