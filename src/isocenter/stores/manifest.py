"""Manifest: what a store says of itself: layout, task, value ranges, and the seal of its files."""

from __future__ import annotations

import dataclasses
import enum
import json
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from isocenter.base.digests import canonical_json, digest_of, digest_of_file
from isocenter.base.errors import StoreCorrupt, StoreError, StoreNotFound
from isocenter.base.files import sync_folder, write_json
from isocenter.model.task import TaskContract, Window
from isocenter.stores.layout import LAYOUT_VERSION, READABLE_LAYOUTS
from isocenter.stores.shard import BACKENDS

NAME = "manifest.json"
CASES = "cases.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """One file of the store when it was sealed; `name` is relative to the store."""

    name: str
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a store says of itself.

    Args:
        name: Name of the cohort.
        task: Task, labels and channels.
        backend: File format of the shards.
        shards: Number of shards, a power of two.
        chunk: Chunk (k, j, i) in voxels.
        orientation: "canonical" or "native".
        spacing_mm: (k, j, i) that all cases were brought to; None where each keeps its own.
        hu_range: What CT values were clipped to; None where they were not.
        standardise: Every convention behind a voxel as the cohort names it: orientation, spacing, align, kernel,
            antialias, label_kernel, hu_range, tilt, gaps, uneven, foreground, bias_field and pet.
        background: Per channel: the stored value of what is not there (padding, a missing channel).
        windows: Per channel: the windows it is shown through at load; none: a default for its modality.
        files: Every shard that exists and the table of cases, sorted by name.
        version: Version of the package that wrote it.
        layout: Version of the layout.

    Attributes:
        channel_order: Names of the task's channels in the order of the cohort's config, which is that of the images of
            cases: JSON objects have no order, so that it is said.
    """

    name: str
    task: TaskContract
    backend: str
    shards: int
    chunk: tuple[int, ...]
    orientation: str
    spacing_mm: tuple[float, ...] | None
    hu_range: tuple[int, ...] | None
    standardise: dict[str, Any]
    background: dict[str, float]
    windows: dict[str, tuple[Window, ...]]
    files: tuple[SealedFile, ...]
    version: str
    layout: int = LAYOUT_VERSION
    channel_order: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "channel_order", tuple(self.task.channels))


def shard_name(backend: str, number: int) -> str:
    """Name of a shard's file within the store, e.g. `shards/00003.h5`."""
    return f"shards/{number:05}.{BACKENDS.get(backend).suffix}"


def sealed(root: Path, name: str) -> SealedFile:
    """Size and digest of one finished file of a store."""
    path = root / name
    return SealedFile(name=name, bytes=path.stat().st_size, digest=digest_of_file(path))


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Seal a store: write its manifest, which comes last and without which it does not open."""
    plain = json.loads(canonical_json(manifest))
    write_json(root / NAME, {"manifest": plain, "seal": digest_of(plain)})


def unseal(root: Path) -> None:
    """Take the manifest away before files of the store are changed: half a rebuild must not open."""
    (root / NAME).unlink(missing_ok=True)
    if root.exists():
        sync_folder(root)


def read_manifest(root: Path, *, verify: bool = True) -> Manifest:
    """Read the manifest of a store.

    Args:
        root: Folder of the store.
        verify: Whether to compare it with its own seal.

    Raises:
        StoreNotFound: there is none: no store, or one whose build was interrupted.
        StoreCorrupt: it is not what was sealed.
        StoreError: it has a layout that this version of the package does not read.
    """
    try:
        document = json.loads((root / NAME).read_text(encoding="utf-8"))
        plain, seal = document["manifest"], document["seal"]
        layout = plain["layout"]
    except FileNotFoundError:
        raise StoreNotFound(
            f"no store at {root.name or '.'}: it has no {NAME} (an interrupted build leaves none; run it again)"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise StoreCorrupt(f"{NAME} cannot be understood") from None
    if layout not in READABLE_LAYOUTS:
        known = ", ".join(map(str, READABLE_LAYOUTS))
        raise StoreError(f"the store has layout {layout!r}, this version reads layout {known}")
    if verify and digest_of(plain) != seal:
        raise StoreCorrupt(f"{NAME} is not what was sealed")
    try:
        manifest: Manifest = _typed(Manifest, _in_order(plain))
    except (ValueError, KeyError, TypeError):
        raise StoreCorrupt(f"{NAME} cannot be understood") from None
    shards = {shard_name(manifest.backend, n) for n in range(manifest.shards)}
    if strange := [f.name for f in manifest.files if f.name != CASES and f.name not in shards]:
        raise StoreCorrupt(f"{NAME} names {strange[0]!r}, which is no file of a store")
    return manifest


def _in_order(plain: dict[str, Any]) -> dict[str, Any]:
    """A plain manifest whose channels come in their order; in manifests that name none it is that of their names."""
    rest = {key: value for key, value in plain.items() if key != "channel_order"}
    channels = rest["task"]["channels"]
    order = plain.get("channel_order", sorted(channels))
    if sorted(order) != sorted(channels):
        raise ValueError("the channels in their order are others than those of the task")
    return {**rest, "task": {**rest["task"], "channels": {name: channels[name] for name in order}}}


def _typed(hint: Any, value: Any) -> Any:
    """A plain JSON value as the type that a field asks for."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return tuple(value) if isinstance(value, list) else value
    if origin in (Union, types.UnionType):
        inner = next(a for a in args if a is not type(None))
        return None if value is None else _typed(inner, value)
    if origin is tuple:
        return tuple(_typed(args[0], v) for v in value)
    if origin is dict:
        return {str(k): _typed(args[1], v) for k, v in value.items()}
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        make: Any = hint
        return make(**{k: _typed(hints[k], v) for k, v in value.items()})
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if hint is float:
        return float(value)
    if not isinstance(value, hint):
        raise TypeError(hint)
    return value
