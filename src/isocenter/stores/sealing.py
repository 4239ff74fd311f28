"""Sealing: a shard is written under another name, read back, synced, and only then given its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from isocenter.base.errors import StoreCorrupt, StoreError
from isocenter.base.files import write_atomically
from isocenter.stores.shard import ShardReader, digest_of_array


@contextmanager
def sealing(path: Path, read: Callable[[Path], ShardReader], ids: Sequence[str]) -> Iterator[Path]:
    """Give a new shard its name when the block has written it; a failure leaves what was there before.

    Args:
        path: The final name.
        read: Opens a shard, to read it back.
        ids: The records that it must hold, in their order, once the block has written it.

    Yields:
        The name under which the block writes; what else it needs begins with the same.

    Raises:
        StoreCorrupt: it does not read back as it was written.
    """
    with writing(path.name):
        _clear(path)
    scratch = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        yield scratch
        _read_back(read, scratch, path.name, ids)
        with writing(path.name):
            write_atomically(path, lambda temporary: _rename(scratch, temporary))
    finally:
        with writing(path.name):
            _clear(path)


@contextmanager
def writing(name: str, *errors: type[Exception]) -> Iterator[None]:
    """What goes wrong while a shard is written becomes one kind of error, with the reason and without a path."""
    expected: tuple[type[Exception], ...] = (OSError, RuntimeError, *errors)
    try:
        yield
    except StoreError:
        raise
    except expected as error:
        code = getattr(error, "errno", None)
        reason = os.strerror(code) if code else "the disk is full or failed"
        raise StoreError(f"{name} cannot be written: {reason}") from error


def _clear(path: Path) -> None:
    """Remove what a process that was killed, or this one, has left beside a shard."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)


def _read_back(read: Callable[[Path], ShardReader], path: Path, name: str, ids: Sequence[str]) -> None:
    """Read every array of a new file once: a disk that did not keep what it was given is found now."""
    reader = read(path)
    try:
        if list(reader.ids) != list(
            ids
        ):  # the last pages that name records may be the ones that were not kept
            raise StoreCorrupt(f"{name}: reads back with other records than were written")
        for case_id in ids:
            digests = reader.meta(case_id).get("digests", {})
            for array in reader.arrays(case_id):
                data = reader.read(case_id, array, ...)
                if digests.get(array) != digest_of_array(data):
                    raise StoreCorrupt(f"{name} {case_id} {array}: reads back otherwise than it was written")
    finally:
        reader.close()


def _rename(source: Path, target: Path) -> None:
    source.replace(target)
