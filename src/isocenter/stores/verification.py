"""Verification: every byte of a store against its seal, and what is wrong told down to the array."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isocenter.base import tables
from isocenter.base.errors import StoreError
from isocenter.base.files import text_of_json
from isocenter.model.rows import CaseRow
from isocenter.stores.fitted import fitted_names, name_of, read_fitted
from isocenter.stores.manifest import CASES, NAME, Manifest, SealedFile, read_manifest, sealed, shard_name
from isocenter.stores.shard import BACKENDS, ShardReader, digest_of_array
from isocenter.stores.splits import read_split, split_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a store; `case` and `array` are "" where the whole shard is meant."""

    shard: str
    what: str
    case: str = ""
    array: str = ""


def verify(root: Path, manifest: Manifest) -> list[Problem]:
    """Everything that is wrong with the files of a store, in the order of their names."""
    out: list[Problem] = []
    try:
        read_manifest(root)
    except StoreError as error:
        out.append(Problem(shard=NAME, what=str(error)))
    documents = sorted((root / NAME, *root.glob("splits/*.json"), *root.glob("fitted/*.json")))
    names = (p.relative_to(root).as_posix() for p in documents if not _is_as_written(p))
    out += [Problem(shard=name, what="is not what was written") for name in names]
    for file in manifest.files:
        out += _file(root, manifest, file)
    known = {f.name for f in manifest.files}
    strays = (p.relative_to(root).as_posix() for p in (root / "shards").glob("*"))
    out += [
        Problem(shard=s, what="is not part of the sealed store") for s in sorted(strays) if s not in known
    ]
    for name in split_names(root):
        try:
            read_split(root, name)
        except StoreError as error:
            out.append(Problem(shard=f"splits/{name}.parquet", what=str(error)))
    for split, fold in fitted_names(root):
        try:
            read_fitted(root, split, fold)
        except StoreError as error:
            out.append(Problem(shard=name_of(split, fold), what=str(error)))
    return out


def _is_as_written(path: Path) -> bool:
    """Whether a JSON file is to the byte what `write_json` makes of its content: a cut end may leave the content whole."""
    try:
        text = path.read_text(encoding="utf-8")
        return text == text_of_json(json.loads(text))
    except (OSError, ValueError):
        return False


def _file(root: Path, manifest: Manifest, file: SealedFile) -> list[Problem]:
    try:
        if sealed(root, file.name) == file:
            return []
    except OSError:
        return [Problem(shard=file.name, what="is missing")]
    out = [Problem(shard=file.name, what="is not what was sealed")]
    if file.name != CASES:
        out += _records(root, manifest, file.name)
    return out


def _records(root: Path, manifest: Manifest, shard: str) -> Iterator[Problem]:
    """What is wrong inside a shard whose bytes differ."""
    try:
        reader = BACKENDS.get(manifest.backend).open(root / shard, cache_bytes=0)
    except StoreError as error:
        yield Problem(shard=shard, what=str(error))
        return
    try:
        for case_id in _ids_in(root, manifest, shard):
            yield from _arrays(reader, shard, case_id)
    finally:
        reader.close()


def _ids_in(root: Path, manifest: Manifest, shard: str) -> list[str]:
    try:
        rows = tables.read(root / CASES, CaseRow)
        return sorted(r.id for r in rows if shard_name(manifest.backend, r.shard) == shard)
    except (OSError, ValueError):
        return []  # the table of cases has a problem of its own


def _arrays(reader: ShardReader, shard: str, case_id: str) -> Iterator[Problem]:
    try:
        digests = reader.meta(case_id)["digests"]
        names = reader.arrays(case_id)
    except (StoreError, KeyError) as error:
        yield Problem(shard=shard, case=case_id, what=str(error))
        return
    for name in sorted({*digests, *names}):
        if name not in names or name not in digests:
            yield Problem(shard=shard, case=case_id, array=name, what="is missing, or was not there before")
            continue
        try:
            data = reader.read(case_id, name, ...)
        except StoreError as error:
            yield Problem(shard=shard, case=case_id, array=name, what=str(error))
            continue
        if digest_of_array(np.asarray(data)) != digests[name]:
            yield Problem(shard=shard, case=case_id, array=name, what="is not what was sealed")
