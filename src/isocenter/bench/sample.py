"""Sample: some cases of a store, and the patches of them that every way has to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.base import seeds, tables
from isocenter.base.documents import read_yaml
from isocenter.base.errors import ConfigError
from isocenter.base.files import located
from isocenter.base.workspace import Workspace
from isocenter.model.rows import FileRow, PlannedCase, Stack
from isocenter.stores.store import Store

Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The files that one case was read from.

    Args:
        stack: Their stack.
        paths: File of each slice, as the reader of its format takes them.
    """

    stack: Stack
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCase:
    """A case that is measured.

    Args:
        id: Its id.
        shape: (K, J, I).
        channels: How many images it has.
        has_mask: Whether it has a mask.
        source: The files of its reference image; None where they are not there to be read, or lie in an archive.
    """

    id: str
    shape: Triple
    channels: int
    has_mask: bool
    source: Source | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What is measured.

    Args:
        store: Folder of the store.
        cases: Some of its cases.
        patch: (k, j, i) in voxels, no larger than the largest case.
        seed: Where chance starts.
    """

    store: Path
    cases: tuple[SampleCase, ...]
    patch: Triple
    seed: int = 0

    def box(self, number: int) -> tuple[int, tuple[slice, ...]]:
        """Case and place of the patch of a number: the same for every way."""
        lot = seeds.stream(self.seed, "bench", number)
        case = int(lot.integers(len(self.cases)))
        return case, box_in(self.cases[case].shape, self.patch, lot)


def box_in(shape: Triple, patch: Triple, lot: np.random.Generator) -> tuple[slice, ...]:
    """A patch at a random place, cut off where a volume is smaller."""
    starts = [int(lot.integers(max(n - p, 0) + 1)) for n, p in zip(shape, patch, strict=True)]
    return tuple(slice(s, min(s + p, n)) for s, p, n in zip(starts, patch, shape, strict=True))


def scaled(box: tuple[slice, ...], shape: Triple, other: tuple[int, ...]) -> tuple[slice, ...]:
    """A box of the same size at the like place of a volume of another shape."""
    out = []
    for part, n, m in zip(box, shape, other, strict=True):
        size = min(part.stop - part.start, m)
        start = min(round(part.start * m / n), m - size)
        out.append(slice(start, start + size))
    return tuple(out)


def sample_of(workspace: Path, patch: Triple | None, *, most_cases: int, most_bytes: int) -> Sample:
    """Choose cases evenly among all, as far as they stay within so many bytes together.

    Raises:
        StoreNotFound: the workspace holds no store.
        ConfigError: the store holds no case with an image.
    """
    place = Workspace(workspace)
    root = place.store if place.store.is_dir() else workspace
    store = Store(root)
    ids = list(store)
    if not ids:
        raise ConfigError("the store holds no case to measure")
    sources = _sources(place) if root != workspace else {}
    chosen: list[SampleCase] = []
    n_bytes = 0
    for case_id in _spread(ids, most_cases):
        arrays = store.arrays(case_id)
        image = arrays["image"]
        size = image.nbytes + (arrays["mask"].nbytes if "mask" in arrays else 0)
        if chosen and n_bytes + size > most_bytes:
            break
        n_bytes += size
        chosen.append(
            SampleCase(
                id=case_id,
                shape=_triple(image.shape[-3:]),
                channels=image.shape[0],
                has_mask="mask" in arrays,
                source=sources.get(case_id),
            )
        )
    store.close()
    largest = tuple(max(c.shape[axis] for c in chosen) for axis in range(3))
    wanted = patch or (128, 128, 128)
    size_of = tuple(min(p, n) for p, n in zip(wanted, largest, strict=True))
    return Sample(store=root, cases=tuple(chosen), patch=_triple(size_of))


def _triple(values: Any) -> Triple:
    k, j, i = (int(n) for n in values)
    return k, j, i


def _spread(ids: list[str], most: int) -> list[str]:
    step = max(len(ids) / most, 1.0)
    return [ids[int(n * step)] for n in range(min(most, len(ids)))]


def _sources(place: Workspace) -> dict[str, Source]:
    """Files of the reference image of each case, where all are there."""
    if place.done("enrol") is None or not place.config.exists():
        return {}
    base = place.root.absolute()
    roots = [Path(base / s["path"]) for s in read_yaml(place.config).data["sources"]]
    files = {f.file_id: f for f in tables.read(place.table("index", "files"), FileRow)}
    stacks = {s.id: s for s in tables.read(place.table("index", "stacks"), Stack)}
    out = {}
    for case in tables.read(place.table("enrol", "cases"), PlannedCase):
        stack = next((stacks[c.stack] for c in case.channels if c.stack in stacks), None)
        if stack is None:
            continue
        rows = [files[f] for f in stack.files]
        paths = tuple(located(roots[r.source], r.path) for r in rows)
        if not any(r.archive for r in rows) and all(p.is_file() for p in paths):
            out[case.id] = Source(stack=stack, paths=paths)
    return out
