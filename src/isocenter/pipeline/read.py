"""Read: images and annotations straight from files, checked as a run would check them."""

from __future__ import annotations

import enum
import os
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from isocenter.base import arrow, tables
from isocenter.base.errors import ConfigError, FormatError
from isocenter.base.files import Signature, located, signature_of
from isocenter.base.plugins import did_you_mean
from isocenter.base.progress import silent
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import EXECUTORS
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.boundary import opening
from isocenter.formats.image import FORMATS, HEAD_BYTES
from isocenter.model.annotation import Annotation
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue, Verdict, verdict_of
from isocenter.model.reasons import because
from isocenter.model.rows import FileRow, Series, Stack
from isocenter.model.task import Label
from isocenter.model.vocabulary import Vocabulary
from isocenter.model.volume import Volume
from isocenter.pipeline.policies import weighed
from isocenter.pipeline.reading import Reading, StackVerdict, judged
from isocenter.rules.engine import CATALOGUE, Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.build.options import GapPolicy, PetPolicy, Standardise, TiltPolicy
from isocenter.stages.build.policies import evenly, upright
from isocenter.stages.build.uptake import with_uptake
from isocenter.stages.index.listing import root_of
from isocenter.stages.index.options import IndexOptions, Source
from isocenter.stages.index.scan import FileToScan, scan_file
from isocenter.stages.index.stage import index
from isocenter.stages.index.used import kinds_of_images

Policy = TypeVar("Policy", bound=enum.StrEnum)

# Names made while reading files by hand are for telling things apart only; no workspace knows them.
_KEY = b"isocenter.read, not a secret"


def read(
    path: str | os.PathLike[str],
    *,
    series: str | None = None,
    modality: str = "",
    tilt: str = "keep",
    gaps: str = "reject",
    uneven: str = "reject",
    pet: str = "suvbw",
) -> Reading:
    """Read the images of a file or folder as volumes in physical units on RAS+ grids.

    Args:
        path: A file, or a folder with one or more series.
        series: Read only one series: its Series Instance UID, or the id of a stack as messages name it.
        modality: What images are taken for whose format has no modality (NIfTI, NRRD), e.g. "CT".
        tilt: What becomes of slices that a tilted gantry displaced: "keep" (an exact sheared affine),
            "resample" (a rectangular grid) or "reject".
        gaps: What becomes of a stack in which slices are missing: "reject", or "resample": they are
            interpolated, and marked as synthetic in the slice table.
        uneven: The same, of a stack whose slices lie unevenly.
        pet: What PET values become: "suvbw", "suvlbm", "suvlbm-james", "suvbsa" or "stored". Where the headers do not
            tell how, values stay as stored, and the issue `read/no-suv` says why.

    Returns:
        The volumes that no rule rejects, the verdict on every stack, and every issue.

    Raises:
        ConfigError: there is no such file, folder, series or policy.
    """
    policies = Standardise(
        tilt=_policy("tilt", TiltPolicy, tilt),
        gaps=_policy("gaps", GapPolicy, gaps),
        uneven=_policy("uneven", GapPolicy, uneven),
        pet=_policy("pet", PetPolicy, pet),
    )
    found = _indexed(Path(path), series)
    engine = Engine(weighed(ScreenOptions(ignore=_not_by_hand()), policies))
    kept = {i.target for i in found.issues} - {s.id for s in found.stacks}
    issues = [i for i in found.issues if i.target in kept and i.rule != "index/no-subject"]
    on_series = {s.id: engine.check(s) for s in found.series}
    volumes: list[Volume] = []
    verdicts: dict[str, StackVerdict] = {}
    for stack in _in_order(found.stacks):
        typed = stack if stack.modality else replace(stack, modality=modality)
        seen = [i for i in found.issues if i.target == stack.id and i.rule != "index/no-subject"]
        seen += [replace(i, target=stack.id) for i in on_series.get(stack.series, ())]
        seen += engine.check(typed)
        if verdict_of(seen) is not Verdict.REJECT:
            seen = _read_stack(typed, found, engine, policies, seen, volumes)
        verdicts[stack.id] = judged(typed, tuple(seen))
        issues += seen
    return Reading(tuple(volumes), tuple(issues), verdicts)


def _policy(name: str, kind: type[Policy], word: str) -> Policy:
    try:
        return kind(word)
    except ValueError:
        known = [str(m.value) for m in kind]
        raise ConfigError(
            f"{name} is one of {', '.join(known)}, not {word!r}{did_you_mean(word, known)}"
        ) from None


def _not_by_hand() -> dict[str, str]:
    """Rules on whose the images are: nobody is enrolled here. That they are of one person still matters."""
    names = (n for n in CATALOGUE.names() if n.startswith("identity/"))
    out = {n: "read by hand" for n in names if n != "identity/several-patients-in-series"}
    return out | {"values/unconvertible-pet": "read as it is stored, see read/no-suv"}


def _in_order(stacks: list[Stack]) -> list[Stack]:
    """Stacks as they are in the index, those of one set (time, echo, ...) together and in its order."""
    first: dict[str, int] = {}
    for n, stack in enumerate(stacks):
        first.setdefault(stack.group or stack.id, n)
    return sorted(stacks, key=lambda s: (first[s.group or s.id], s.axis_index))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Indexed:
    """The stacks that are to be read with their series, where their files are and what they were, and what was seen."""

    stacks: list[Stack]
    series: list[Series]
    issues: list[Issue]
    paths: dict[str, Path]
    expected: dict[str, Signature]


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
        files = list(tables.read(workspace.table("index", "files"), FileRow))
        issues = list(tables.read(workspace.table("index", "issues"), Issue))
        asked = {s.series for s in stacks}
        return _Indexed(
            stacks=stacks,
            series=[s for s in tables.read(workspace.table("index", "series"), Series) if s.id in asked],
            issues=[*issues, *_left_out(files, issues)],
            paths={f.file_id: located(root, f.path) for f in files},
            expected=_expected(files),
        )


def _expected(files: list[FileRow]) -> dict[str, Signature]:
    """What each file was when it was indexed, with the file beside it that holds its voxels."""
    alone = {f.file_id: Signature(f.size, f.mtime_ns) for f in files}
    return alone | {
        f.file_id: Signature(f.size, f.mtime_ns, alone[f.data_file]) for f in files if f.data_file
    }


def _left_out(files: list[FileRow], issues: list[Issue]) -> list[Issue]:
    """A note on the files that are no images, if there are any: archives are what is in them."""
    told = {i.target for i in issues} | {f.archive for f in files} | {f.data_file for f in files}
    kinds = Counter(f.kind for f in files if f.kind not in kinds_of_images() and f.file_id not in told)
    if not kinds:
        return []
    what = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    return [because("file/not-an-image", measured=what, unit="files")]


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
    stack: Stack,
    found: _Indexed,
    engine: Engine,
    policies: Standardise,
    before: list[Issue],
    volumes: list[Volume],
) -> list[Issue]:
    """Everything that was seen of a stack after it was read; the volume has it too, if it is kept."""
    try:
        volume = FORMATS.get(stack.format).read(
            stack, [found.paths[f] for f in stack.files], [found.expected[f] for f in stack.files]
        )
        volume = with_uptake(volume, stack, policies)
        told = engine.check(volume)  # on what was read, before a slice of ours is in it
        volume = upright(evenly(volume, policies), policies)
    except FormatError as error:
        issue = because(
            error.reason,
            target=stack.id,
            message=error.message,
            measured=error.measured,
            expected=error.expected,
        )
        return [*before, issue]
    seen = [*before, *volume.issues, *told]
    if verdict_of(seen) is not Verdict.REJECT:
        volumes.append(replace(volume, issues=tuple(seen)))
    return seen


def read_annotations(
    path: str | os.PathLike[str],
    *,
    on: Volume | Grid | None = None,
    vocabulary: Mapping[str, Label] | None = None,
    rater: str = "",
) -> tuple[Annotation, ...]:
    """Read the annotations of one file: RTSTRUCT, DICOM SEG or SR, a label map, markups, LIDC, VOC or COCO.

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
        head, seen = opened.read(HEAD_BYTES), signature_of(opened)
    scanned = scan_file(FileToScan(root=str(file.parent), row=row, site=""), head)
    name = scanned.annotation.format if scanned.annotation else scanned.kind
    if name not in ANNOTATIONS.names():
        told = scanned.issue.message if scanned.issue else f"a file of kind {scanned.kind}"
        raise FormatError("file/unsupported", f"no annotations can be read from it: {told}")
    known = ANNOTATIONS.get(name).parts(file)
    words = Vocabulary(vocabulary) if vocabulary is not None else None
    wanted = {
        p.key: label for p in known if (label := words.match_part(p)[0] if words else p.name) is not None
    }
    found = ANNOTATIONS.get(name).read(
        file, wanted, annotation_id=names.of("ann", file.name), rater=rater, expected=seen
    )
    grid = on.grid if isinstance(on, Volume) else on
    if grid is not None:
        for annotation in found:
            annotation.mask(grid)
    return found
