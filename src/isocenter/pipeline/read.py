"""Read: images and annotations straight from files, checked as a run would check them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from isocenter.base import arrow, tables
from isocenter.base.errors import ConfigError, FormatError, RejectedError
from isocenter.base.files import located
from isocenter.base.progress import silent
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import EXECUTORS
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.boundary import opening
from isocenter.formats.image import FORMATS, HEAD_BYTES
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
from isocenter.stages.index.listing import root_of
from isocenter.stages.index.options import IndexOptions, Source
from isocenter.stages.index.scan import FileToScan, scan_file
from isocenter.stages.index.stage import index

# Names made while reading files by hand are for telling things apart only; no workspace knows them.
_KEY = b"isocenter.read, not a secret"


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
    found = _indexed(Path(path), series)
    engine = Engine(ScreenOptions())
    issues = [i for i in found.issues if i.rule != "index/no-subject"]
    volumes: list[Volume] = []
    for stack in found.stacks:
        typed = stack if stack.modality else replace(stack, modality=modality)
        seen = [i for i in engine.check(typed) if not i.rule.startswith("identity/")]
        issues += seen
        if any(i.severity is Severity.REJECT for i in seen):
            continue
        issues += _read_stack(typed, found.paths, engine, volumes)
    return Reading(tuple(volumes), tuple(issues))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Indexed:
    """The stacks that are to be read, where their files are, and what was seen."""

    stacks: list[Stack]
    issues: list[Issue]
    paths: dict[str, Path]


def _indexed(path: Path, series: str | None) -> _Indexed:
    """Index a file or folder in a workspace that is gone afterwards.

    Raises:
        ConfigError: there is no such file, folder or series.
    """
    if not path.exists():
        raise ConfigError(f"there is no file or folder {path.name!r}")
    source = Source(path=str(path.absolute()), site="")
    with tempfile.TemporaryDirectory(prefix="isocenter-") as folder:
        workspace = Workspace(Path(folder))
        key = workspace.root / "secret.key"
        key.write_text(_KEY.hex(), encoding="ascii")
        key.chmod(0o600)
        index(
            IndexOptions(sources=(source,)),
            workspace,
            base=Path(),
            executor=EXECUTORS.get("serial"),
            jobs=1,
            progress=silent,
        )
        stacks = list(tables.read(workspace.table("index", "stacks"), Stack))
        if series is not None:
            stacks = _of_series(series, stacks, workspace)
        root = root_of(source, Path())
        files = tables.read_table(workspace.table("index", "files"), ["file_id", "path"])
        names = zip(arrow.values(files, "file_id"), arrow.values(files, "path"), strict=True)
        return _Indexed(
            stacks=stacks,
            issues=list(tables.read(workspace.table("index", "issues"), Issue)),
            paths={file_id: located(root, name) for file_id, name in names},
        )


def _of_series(series: str, stacks: list[Stack], workspace: Workspace) -> list[Stack]:
    """Stacks of a series, by its UID or by an id that was told.

    Raises:
        ConfigError: there is no such series.
    """
    rows = tables.read_table(workspace.table("index", "instances"), ["file_id", "series_uid"])
    uids = zip(arrow.values(rows, "file_id"), arrow.values(rows, "series_uid"), strict=True)
    files = {file_id for file_id, uid in uids if uid == series}
    found = [s for s in stacks if series in {s.id, s.series} or files & set(s.files)]
    if not found:
        n_series = len({s.series for s in stacks})
        raise ConfigError(f"no such series; there are {n_series}, with {len(stacks)} stacks")
    return found


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
    names = Pseudonyms(_KEY)
    row = FileRow(file_id=names.of("fil", file.name), source=0, path=file.name, size=0, mtime_ns=0, kind="")
    with opening(file) as opened:
        head = opened.read(HEAD_BYTES)
    scanned = scan_file(FileToScan(root=str(file.parent), row=row, site=""), head)
    name = {"dicom-rtstruct": "rtstruct"}.get(scanned.kind, scanned.kind)
    if name not in ANNOTATIONS.names():
        told = scanned.issue.message if scanned.issue else f"a file of kind {scanned.kind}"
        raise FormatError("file/unsupported", f"no annotations can be read from it: {told}")
    known = ANNOTATIONS.get(name).names(file)
    words = Vocabulary(vocabulary) if vocabulary is not None else None
    wanted = {k: label for k, n in known.items() if (label := words.label_of(n) if words else n) is not None}
    found = ANNOTATIONS.get(name).read(file, wanted, annotation_id=names.of("ann", file.name), rater=rater)
    grid = on.grid if isinstance(on, Volume) else on
    if grid is not None:
        for annotation in found:
            annotation.mask(grid)
    return found
