"""Writes the files of one case, in whatever process it is called."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from isocenter.base.digests import digest_of_file
from isocenter.base.files import write_text
from isocenter.exports.ledger import Entry, Written
from isocenter.exports.selected import labels_of
from isocenter.exports.tables import slices_table
from isocenter.exports.target import CaseFile, Content, Labels
from isocenter.exports.voxels import Voxels
from isocenter.formats.nifti_writing import write_nifti
from isocenter.model.case import Case
from isocenter.stores.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One case to be written.

    Args:
        store: Folder of the store.
        seal: Digest of its manifest: another one is another store, whatever its folder.
        folder: Where to.
        case: Its id.
        labels: The labels that are exported, in the order of their values.
        key: Digest of all that its files depend on.
        files: What is written.
    """

    store: str
    seal: str
    folder: str
    case: str
    labels: Labels
    key: str
    files: tuple[CaseFile, ...]


def write_case(work: Work) -> Entry:
    """Write the files of a case; each is whole under its name, or not there."""
    store = _opened(work.store, work.seal)
    case = store[work.case]
    voxels = _voxels(store, case, work.labels)
    written = []
    for file in work.files:
        path = Path(work.folder) / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.content is Content.SLICES:
            write_text(path, slices_table(case))
        else:
            write_nifti(path, voxels.of(file), case.grid)
        written.append(Written(name=file.path, bytes=path.stat().st_size, digest=digest_of_file(path)))
    return Entry(case=work.case, key=work.key, files=tuple(written))


def labels_together(path: str, seal: str, labels: Labels, case_id: str) -> frozenset[Labels]:
    """The labels that voxels of a case have together."""
    store = _opened(path, seal)
    return _voxels(store, store[case_id], labels).combinations()


def _voxels(store: Store, case: Case, labels: Labels) -> Voxels:
    known = store.manifest.task
    return Voxels(case, {n: known.labels[n].value for n in labels_of(known)}, labels)


def forget() -> None:
    """Let go of the store that this process has open: its files may have been exchanged since."""
    _opened.cache_clear()


@functools.lru_cache(maxsize=1)
def _opened(path: str, seal: str) -> Store:
    """The store, opened once in each process."""
    del seal  # it tells one from the next in the same folder
    return Store(path, verify="read")
