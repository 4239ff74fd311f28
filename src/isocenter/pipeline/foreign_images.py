"""Looks into the images of a data set that others divided: header facts, masks' labels, and descriptors."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from isocenter.base import tables
from isocenter.base.errors import ConfigError, FormatError
from isocenter.base.files import Signature, located
from isocenter.base.progress import Progress, follow
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import EXECUTORS
from isocenter.formats.image import FORMATS
from isocenter.formats.pictures import is_picture, read_picture
from isocenter.imaging.descriptor import Descriptor, descriptor_of
from isocenter.model.audited import listed
from isocenter.model.grid import Grid
from isocenter.model.rows import FileRow, Stack
from isocenter.model.volume import Volume
from isocenter.pipeline.audited_facts import facts_of
from isocenter.pipeline.foreign import ForeignImage, Seen
from isocenter.pipeline.index import index
from isocenter.stages.audit.canary_slices import slices_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found: facts by image id, slices for the canary with their image, and what failed.

    `descriptors` are by names of their own, as an image may hold several stacks; `image_of` tells whose each is.
    """

    seen: Mapping[str, Seen]
    descriptors: Mapping[str, Descriptor]
    slices: Sequence[tuple[str, np.ndarray]]
    failed: Mapping[str, str]
    image_of: Mapping[str, str] = field(default_factory=dict)
    failed_masks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One stack to read for an image, or the mask of one; a picture is no stack."""

    image: str
    stack: Stack | None
    paths: tuple[Path, ...]
    expected: tuple[Signature | None, ...] = ()
    values: tuple[tuple[int, str], ...] | None = None
    slices: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """What came of it: a descriptor, the labels of a mask, or the reason why not."""

    descriptor: Descriptor | None = None
    labels: tuple[str, ...] = ()
    slices: tuple[np.ndarray, ...] = ()
    reason: str = ""


@dataclass(slots=True)
class _Files:
    """The indexed stacks by the real path of each of their files, and by each folder that these are below."""

    stacks: dict[Path, list[Stack]] = field(default_factory=lambda: defaultdict(list))
    folders: dict[Path, dict[str, Stack]] = field(default_factory=lambda: defaultdict(dict))
    paths: dict[str, Path] = field(default_factory=dict)
    expected: dict[str, Signature] = field(default_factory=dict)


def look(images: Iterable[ForeignImage], *, jobs: int, progress: Progress, slices: int = 0) -> Looked:
    """Read the header of every image and its voxels once.

    Args:
        images: Those without a path are passed over.
        jobs: How many processes at once.
        progress: Called as the work goes on.
        slices: How many slices of each image the canary is to have.

    Raises:
        ConfigError: the images have no folder in common.
    """
    wanted = [i for i in images if i.path is not None]
    files = _indexed(
        [real for i in wanted for p in (i.path, i.mask) if (real := _real(p)) is not None],
        jobs,
        progress,
    )
    work: list[_Work] = []
    failed: dict[str, str] = {}
    masks: dict[str, str] = {}
    seen: dict[str, Seen] = {}
    taken: set[tuple[str, str]] = set()
    for image in wanted:
        real = _real(image.path)
        stacks = _stacks_at(real, files)
        if real is not None and not stacks and is_picture(real):
            seen[image.id] = Seen(facts=(("format", "picture"),))
            work.append(_Work(image=image.id, stack=None, paths=(real,), slices=slices))
            continue
        if real is None or not stacks:
            failed[image.id] = "file/not-there" if real is None else "file/not-an-image"
            continue
        is_slice = len(stacks) == 1 and len(stacks[0].files) > 1 and real.is_file()
        seen[image.id] = Seen(
            study=stacks[0].study if stacks[0].format == "dicom" else "",
            volume=stacks[0].id if is_slice else "",
            facts=facts_of(stacks[0]),
        )
        # of the slices of one volume the first of each subject stands for it
        key = (stacks[0].id, image.subject)
        if not (is_slice and key in taken):
            work += [_work(image.id, stack, files, slices) for stack in stacks]
        taken.add(key)
        if image.mask is not None:
            work += _mask_work(image, image.mask, files, masks)
    return _gathered(work, _results(work, jobs, progress), seen, failed, masks)


def _mask_work(image: ForeignImage, mask: Path, files: _Files, failed: dict[str, str]) -> list[_Work]:
    """The mask of an image; why there is nothing to read is told in `failed`."""
    real = _real(mask)
    stacks = _stacks_at(real, files)
    if not stacks:
        failed[image.id] = "file/not-there" if real is None else "file/not-an-image"
    return [replace(_work(image.id, s, files, 0), values=image.values) for s in stacks]


def _real(path: Path | None) -> Path | None:
    """Where a path leads; None where nothing is there, or the system cannot even be asked for such a path."""
    try:
        real = path.resolve() if path is not None else None
        return real if real is not None and real.exists() else None
    except (OSError, ValueError, RuntimeError):  # too long, a circle of links, NUL, no UTF-8
        return None


def _indexed(paths: Sequence[Path], jobs: int, progress: Progress) -> _Files:
    """The stacks below the folder that all paths have in common.

    Raises:
        ConfigError: that folder is the whole file system.
    """
    out = _Files()
    if not paths:
        return out
    root = Path(os.path.commonpath(sorted(set(paths))))
    if root == Path(root.anchor):
        raise ConfigError("the images have no folder in common but the whole file system")
    found = index(root, jobs=jobs, progress=progress)
    folder = root if root.is_dir() else root.parent
    for row in tables.read(Workspace(found.workspace).table("index", "files"), FileRow):
        out.paths[row.file_id] = located(folder, row.path)
        out.expected[row.file_id] = Signature(row.size, row.mtime_ns)
    for stack in found.stacks:
        for path in dict.fromkeys(out.paths[f] for f in stack.files):
            out.stacks[path].append(stack)
    for parent, stacks in _by_parent(out.stacks).items():
        for place in (parent, *parent.parents):
            out.folders[place] |= stacks
            if place == folder:
                break
    return out


def _by_parent(stacks: Mapping[Path, Sequence[Stack]]) -> dict[Path, dict[str, Stack]]:
    out: dict[Path, dict[str, Stack]] = defaultdict(dict)
    for path, found in stacks.items():
        out[path.parent] |= {s.id: s for s in found}
    return out


def _stacks_at(real: Path | None, files: _Files) -> list[Stack]:
    """The stacks of a file, or of all files in a folder."""
    if real is None:
        return []
    if not real.is_dir():
        return files.stacks.get(real, [])
    inside = files.folders.get(real, {})
    return [inside[name] for name in sorted(inside)]


def _work(image: str, stack: Stack, files: _Files, slices: int) -> _Work:
    return _Work(
        image=image,
        stack=stack,
        paths=tuple(files.paths[f] for f in stack.files),
        expected=tuple(files.expected[f] for f in stack.files),
        slices=slices,
    )


def _results(work: Sequence[_Work], jobs: int, progress: Progress) -> Iterator[_Result]:
    executor = EXECUTORS.get("processes" if jobs > 1 and len(work) > 1 else "serial")
    outcomes = executor.map(_read, work, jobs=jobs)
    for outcome in follow(outcomes, progress, stage="audit", total=len(work), unit="images"):
        failure = outcome.failure
        yield outcome.value or _Result(reason=f"worker {failure.kind}" if failure else "worker")


def _read(work: _Work) -> _Result:
    """Read one stack; what cannot be read is told by its reason."""
    try:
        volume = _volume(work)
    except FormatError as error:
        return _Result(reason=error.reason)
    if work.values is not None:
        values = np.unique(volume.array)
        present = {int(v) for v in values[np.isfinite(values)] if v}
        names = dict(work.values) or {v: f"label {v}" for v in present}
        return _Result(labels=tuple(sorted(names[v] for v in present if v in names)))
    return _Result(
        descriptor=descriptor_of(volume.array, volume.grid, valid=volume.valid),
        slices=slices_of(volume.array, work.slices),
    )


def _volume(work: _Work) -> Volume:
    stack = work.stack
    if stack is None:
        values = read_picture(work.paths[0])
        grid = Grid((1, values.shape[1], values.shape[2]), np.eye(4), is_oriented=False)
        return Volume(array=values, grid=grid, unit="stored", modality="")
    if not stack.affine:  # what it looks like is known even where nobody knows where it was
        stack = replace(stack, affine=tuple(np.eye(4).ravel().tolist()), spacing_mm=(1.0, 1.0, 1.0))
    return FORMATS.get(stack.format).read(stack, list(work.paths), list(work.expected))


def _gathered(
    work: Sequence[_Work],
    results: Iterable[_Result],
    seen: dict[str, Seen],
    failed: dict[str, str],
    failed_masks: dict[str, str],
) -> Looked:
    descriptors: dict[str, Descriptor] = {}
    image_of: dict[str, str] = {}
    slices: list[tuple[str, np.ndarray]] = []
    for item, result in zip(work, results, strict=True):
        if result.reason:
            (failed if item.values is None else failed_masks).setdefault(item.image, result.reason)
            continue
        known = seen[item.image]
        if item.values is not None:
            seen[item.image] = replace(known, labels=tuple(sorted({*known.labels, *result.labels})))
        elif result.descriptor is not None:
            first = item.image not in descriptors
            # no image that was read has a NUL in its name, so no other has this one, and the order stays theirs
            name = item.image if first or item.stack is None else f"{item.image}\0{item.stack.id}"
            descriptors[name], image_of[name] = result.descriptor, item.image
            slices += [(item.image, s) for s in result.slices]
            if first:
                seen[item.image] = replace(known, digest=result.descriptor.exact)
    return Looked(
        seen=seen,
        descriptors=descriptors,
        slices=slices,
        failed=failed,
        image_of=image_of,
        failed_masks=failed_masks,
    )


def told(reasons: Iterable[str]) -> str:
    """Why images or masks could not be read, counted."""
    counts = Counter(reasons)
    return listed([f"{reason}: {n}" for reason, n in sorted(counts.items())])
