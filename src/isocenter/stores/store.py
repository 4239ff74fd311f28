"""Store: a packed data set, opened for reading; each case is read only where it is sliced."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from isocenter.base import tables
from isocenter.base.digests import digest_of_file
from isocenter.base.errors import ConfigError, StoreCorrupt, StoreNotFound
from isocenter.model.case import Case
from isocenter.model.rows import CaseRow
from isocenter.model.split import Split
from isocenter.stores import verification
from isocenter.stores.handles import CACHE_BYTES, Handles
from isocenter.stores.layout import case_of
from isocenter.stores.lazy import LazyArray
from isocenter.stores.manifest import CASES, Manifest, read_manifest, shard_name
from isocenter.stores.splits import read_split, split_names
from isocenter.stores.verification import Problem

Verify: TypeAlias = Literal["seal", "read", "none"]
VERIFY = ("seal", "read", "none")


class Store(Mapping[str, Case]):
    """A packed data set: case id to `Case`, in the order of the ids.

    Nothing is held open until a case is read; a store may be sent to other processes.

    Args:
        path: Folder of the store.
        verify: "seal" compares the manifest, the table of cases and the size of every shard with what was
            sealed; "read" also each array that is read as a whole; "none" nothing. The check sum of every
            chunk that is read is compared in any case, and `verify()` compares every byte.
        cache_bytes: Bound of the tables that one reading thread keeps, which say where chunks lie. Nothing that was
            decoded is kept.

    Raises:
        StoreNotFound: there is no store, or one whose build was interrupted.
        StoreCorrupt: it is not what was sealed.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, verify: Verify = "seal", cache_bytes: int = CACHE_BYTES
    ) -> None:
        if verify not in VERIFY:
            raise ConfigError(f"verify is one of {', '.join(VERIFY)}, not {verify!r}")
        self.path = Path(path)
        self.manifest: Manifest = read_manifest(self.path, verify=verify != "none")
        self._verify = verify
        self._handles = Handles(self.manifest.backend, cache_bytes)
        if verify != "none":
            self._compare_seal()

    @functools.cached_property
    def cases(self) -> tuple[CaseRow, ...]:
        """The table of cases."""
        return tuple(self.rows())

    def rows(self) -> Iterator[CaseRow]:
        """Rows of the table of cases, one at a time."""
        return tables.read(self.path / CASES, CaseRow)

    def __getitem__(self, case_id: str) -> Case:
        path = self._shard(case_id)
        return case_of(case_id, self._handles.reader(path).meta(case_id), self.arrays(case_id))

    def __len__(self) -> int:
        return len(self._places[0])

    def __iter__(self) -> Iterator[str]:
        return (str(case_id) for case_id in self._places[0])

    def __contains__(self, case_id: object) -> bool:
        return isinstance(case_id, str) and self._place(case_id) is not None

    @property
    def checks_reads(self) -> bool:
        """Whether what is read is compared with the digest of its array."""
        return self._verify == "read"

    def meta(self, case_id: str, *, shard: int | None = None) -> dict[str, Any]:
        """Facts of a case as they are stored (see `isocenter.stores.layout`)."""
        return self._handles.reader(self._shard(case_id, shard)).meta(case_id)

    def arrays(self, case_id: str, *, shard: int | None = None) -> dict[str, LazyArray]:
        """Arrays of a case as they are stored, none of them read yet.

        Args:
            case_id: The case.
            shard: Its shard, where the caller knows it: then no list of all cases is needed.
        """
        path = self._shard(case_id, shard)
        is_compared = self._verify == "read"
        digests = self._handles.reader(path).meta(case_id)["digests"] if is_compared else None
        return self._handles.arrays(path, case_id, digests)

    def splits(self) -> tuple[str, ...]:
        """Names of the splits that the store holds."""
        return split_names(self.path)

    def split(self, name: str = "default") -> Split:
        """A split by its name."""
        return read_split(self.path, name)

    def verify(self) -> list[Problem]:
        """Compare every byte with what was sealed; nothing is wrong where the list is empty."""
        return verification.verify(self.path, self.manifest)

    def close(self) -> None:
        """Let go of the files that this thread has opened."""
        self._handles.close()

    def __repr__(self) -> str:
        return f"<Store {self.manifest.name!r}: {len(self)} cases, {self.manifest.shards} shards>"

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in {"cases", "_places"}}

    @functools.cached_property
    def _places(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Ids, sorted, and the shard of each: two arrays instead of a row per case."""
        table = tables.read_table(self.path / CASES, columns=["id", "shard"])
        ids, shards = (np.array(table.column(n).to_pylist()) for n in ("id", "shard"))
        order = np.argsort(ids)
        return ids[order], shards[order]

    def _place(self, case_id: str) -> int | None:
        ids, shards = self._places
        at = int(np.searchsorted(ids, case_id)) if len(ids) else 0
        return int(shards[at]) if at < len(ids) and ids[at] == case_id else None

    def _shard(self, case_id: str, shard: int | None = None) -> Path:
        number = self._place(case_id) if shard is None else shard
        if number is None:
            raise KeyError(case_id)
        return self.path / shard_name(self.manifest.backend, number)

    def _compare_seal(self) -> None:
        for file in self.manifest.files:
            path = self.path / file.name
            if not path.is_file():
                raise StoreNotFound(f"{file.name} is missing from the store")
            if path.stat().st_size != file.bytes:
                raise StoreCorrupt(f"{file.name} has {path.stat().st_size} bytes, sealed were {file.bytes}")
            if file.name == CASES and digest_of_file(path) != file.digest:
                raise StoreCorrupt(f"{file.name} is not what was sealed")
