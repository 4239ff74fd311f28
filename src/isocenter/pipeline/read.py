"""Read: images and annotations straight from files, checked as a run would check them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from isocenter.base.errors import ConfigError, FormatError, RejectedError
from isocenter.base.files import walk
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.image import FORMATS
from isocenter.model.annotation import Annotation
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue, Severity
from isocenter.model.reasons import because
from isocenter.model.rows import FileRow, Stack
from isocenter.model.task import Label
from isocenter.model.vocabulary import Vocabulary
from isocenter.model.volume import Volume
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.index.assemble import Assembled, assemble
from isocenter.stages.index.options import Source
from isocenter.stages.index.scan import FileToScan, scan_file
from isocenter.stages.index.subjects import SubjectFinder

# Names made while reading files by hand are for telling things apart only; no workspace knows them.
_NAMES = Pseudonyms(b"isocenter.read, not a secret")


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Volumes read from files, and what was seen on the way; iterating gives the volumes."""

    volumes: tuple[Volume, ...]
    issues: tuple[Issue, ...]

    @property
    def volume(self) -> Volume:
        """The one volume.

        Raises:
            RejectedError: there is none, or more than one; the message names the stacks.
        """
        if len(self.volumes) == 1:
            return self.volumes[0]
        if not self.volumes:
            told = "; ".join(sorted({i.message for i in self.issues if i.severity is Severity.REJECT}))
            raise RejectedError(f"no volume could be read: {told or 'no image was found'}")
        shapes = "; ".join(f"{v.id}: {v.modality or 'image'} {v.grid.shape}" for v in self.volumes)
        raise RejectedError(
            f"{len(self.volumes)} stacks, not one: {shapes}. Iterate, or name one of them: series='...'."
        )

    def __iter__(self) -> Iterator[Volume]:
        return iter(self.volumes)

    def __len__(self) -> int:
        return len(self.volumes)


def read(path: str | os.PathLike[str], *, series: str | None = None, modality: str = "") -> Reading:
    """Read the images of a file or folder as volumes in physical units on RAS+ grids.

    Args:
        path: A file, or a folder with one or more series.
        series: Read only one series: its Series Instance UID, or the id of a stack as messages name it.
        modality: What images are taken for whose format has no modality (NIfTI, NRRD), e.g. "CT".

    Returns:
        The volumes that no rule rejects, and every issue.

    Raises:
        ConfigError: there is no such file, folder or series.
    """
    root, rows = _listed(Path(path))
    scanned = [scan_file(FileToScan(root=str(root), row=r, site="")) for r in rows]
    finder = SubjectFinder(Source(path="", site=""), _NAMES, None)
    found = assemble(scanned, [finder], {}, [root], _NAMES)
    paths = {r.file_id: root / r.path for r in rows}
    wanted = None if series is None else _of_series(series, found)
    engine = Engine(ScreenOptions())
    issues = [i for i in found.issues if i.rule != "index/no-subject"]
    volumes: list[Volume] = []
    for stack in found.stacks:
        if wanted is not None and not wanted & set(stack.files):
            continue
        typed = stack if stack.modality else replace(stack, modality=modality)
        seen = [i for i in engine.check(typed) if not i.rule.startswith("identity/")]
        issues += seen
        if any(i.severity is Severity.REJECT for i in seen):
            continue
        issues += _read_stack(typed, paths, engine, volumes)
    return Reading(tuple(volumes), tuple(issues))


def _listed(path: Path) -> tuple[Path, list[FileRow]]:
    if path.is_dir():
        entries = [e for e in walk(path) if e.kind == "file"]
        return path, [_row(e.path, e.size, e.mtime_ns) for e in entries]
    if not path.is_file():
        raise ConfigError(f"there is no file or folder {path.name!r}")
    info = path.stat()
    return path.parent, [_row(path.name, info.st_size, info.st_mtime_ns)]


def _row(path: str, size: int, mtime_ns: int) -> FileRow:
    return FileRow(file_id=_NAMES.of("fil", path), source=0, path=path, size=size, mtime_ns=mtime_ns, kind="")


def _of_series(series: str, found: Assembled) -> set[str]:
    """Files of a series, by its UID or by an id that was told.

    Raises:
        ConfigError: there is no such series.
    """
    files = {i.file_id for i in found.instances if i.series_uid == series}
    files |= {f for s in found.stacks if series in {s.id, s.series} for f in s.files}
    if not files:
        raise ConfigError(f"no such series; there are {len(found.series)}, with {len(found.stacks)} stacks")
    return files


def _read_stack(
    stack: Stack, paths: Mapping[str, Path], engine: Engine, volumes: list[Volume]
) -> list[Issue]:
    try:
        volume = FORMATS.get(stack.format).read(stack, [paths[f] for f in stack.files])
    except FormatError as error:
        issue = because(
            error.reason,
            target=stack.id,
            message=error.message,
            measured=error.measured,
            expected=error.expected,
        )
        return [issue]
    seen = [*volume.issues, *engine.check(volume)]
    if not any(i.severity is Severity.REJECT for i in seen):
        volumes.append(replace(volume, issues=(*volume.issues, *seen[len(volume.issues) :])))
    return seen


def read_annotations(
    path: str | os.PathLike[str],
    *,
    on: Volume | Grid | None = None,
    vocabulary: Mapping[str, Label] | None = None,
    rater: str = "",
) -> tuple[Annotation, ...]:
    """Read the annotations of one file: RTSTRUCT, NIfTI or NRRD label map.

    Args:
        path: The file.
        on: Image or grid to check them on: a mask on another grid is refused.
        vocabulary: Labels by name; only what they name is read. None: everything, under its own name.
        rater: Who marked it.

    Returns:
        One annotation per structure; `annotation.mask(grid)` gives its voxels.

    Raises:
        FormatError: the file cannot be read, or a mask does not fit `on`.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"there is no file {file.name!r}")
    row = _row(file.name, file.stat().st_size, 0)
    scanned = scan_file(FileToScan(root=str(file.parent), row=row, site=""))
    name = {"dicom-rtstruct": "rtstruct"}.get(scanned.row.kind, scanned.row.kind)
    if name not in ANNOTATIONS.names():
        told = scanned.issue.message if scanned.issue else f"a file of kind {scanned.row.kind}"
        raise FormatError("file/unsupported", f"no annotations can be read from it: {told}")
    known = ANNOTATIONS.get(name).names(file)
    words = Vocabulary(vocabulary) if vocabulary is not None else None
    wanted = {k: label for k, n in known.items() if (label := words.label_of(n) if words else n) is not None}
    found = ANNOTATIONS.get(name).read(file, wanted, annotation_id=_NAMES.of("ann", file.name), rater=rater)
    grid = on.grid if isinstance(on, Volume) else on
    if grid is not None:
        for annotation in found:
            annotation.mask(grid)
    return found
