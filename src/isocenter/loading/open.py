"""Open a store: the way in for whoever trains."""

from __future__ import annotations

import os
from pathlib import Path

from isocenter.stores.handles import CACHE_BYTES
from isocenter.stores.manifest import NAME
from isocenter.stores.store import Store, Verify


def open(  # noqa: A001 - the public name, as one says it
    path: str | os.PathLike[str], *, verify: Verify = "seal", cache_bytes: int = CACHE_BYTES
) -> Store:
    """Open a packed data set.

    Args:
        path: Folder of a store, or a workspace that holds one.
        verify: "seal" compares the manifest, the table of cases and the size of every shard; "read" also
            each array that is read as a whole, and every case when a data set reads it first in a process; "none"
            nothing. `Store.verify()` compares every byte.
        cache_bytes: Bound of the tables that one reading thread keeps, which say where chunks lie. Nothing that was
            decoded is kept.

    Raises:
        StoreNotFound: there is no store, or one whose build was interrupted.
        StoreCorrupt: it is not what was sealed.
    """
    root = Path(path)
    inside = root / "store"
    if not (root / NAME).exists() and inside.is_dir():
        root = inside
    return Store(root, verify=verify, cache_bytes=cache_bytes)
