"""Looks at folders and guesses a cohort: the promise behind `isocenter config init`."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from isocenter.base.errors import ConfigError, FormatError
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.bytes import read_head
from isocenter.formats.dataset import LAYOUTS, DatasetRow
from isocenter.formats.image import HEAD_BYTES, format_of
from isocenter.model.task import Task
from isocenter.pipeline.config_starters import Starter, render
from isocenter.pipeline.config_survey import TABLE_ENDINGS, Survey, survey
from isocenter.pipeline.config_tables import TableGuess, guess_table, plain
from isocenter.pipeline.config_templates import Group, groups_of, pairs_of

_MAX_LABELS = 8
_MODALITY_WORDS = {"ct", "pet", "pt", "mr", "mri", "t1", "t2", "adc", "dwi"}
# Regions that planning systems draw around everything; hardly anybody wants to learn them.
_SURROUNDINGS = re.compile(
    r".*(external|body|couch|table|bolus|skin|support|isocent|dose|marker).*", re.IGNORECASE
)
_NOTHING_FOUND = """\
no annotations were found in {folders}; a cohort needs one of these:
  RTSTRUCT objects beside the DICOM images they were drawn on,
  NIfTI or NRRD masks whose names say so (labelsTr/x, x_mask, seg, ...) beside the images,
  an nnU-Net or Decathlon folder with its dataset.json,
  a CSV or TSV table of class labels, boxes, or centres with diameters (name it after the folders)"""

# What masks are made of.
_OUTLINES = {"mask", "contours"}


def starter_for(paths: Sequence[Path], output: Path, *, task: Task | None = None) -> tuple[str, str]:
    """Kind and text of a config for some folders (and tables), as it would stand in the output file.

    Args:
        paths: Folders, each a centre, and tables that lie elsewhere.
        output: Where the config will be; its paths are written relative to it.
        task: What is to be learned, where the data would suit several tasks.

    Raises:
        ConfigError: Nothing that a cohort could be made of was found; the message says what was looked for.
    """
    folders = [p for p in paths if p.is_dir()]
    if missing := [p for p in paths if not p.exists()]:
        raise ConfigError(f"there is no folder {missing[0].name!r}")
    if not folders:
        raise ConfigError("name at least one folder")
    seen = [survey(f) for f in folders]
    tables = [p for p in paths if p.is_file() and p.name.lower().endswith(TABLE_ENDINGS)]
    tables += [s.root / t for s in seen for t in s.tables]
    surveys = [s for s in seen if s.scans or s.volumes] or seen  # a folder of tables alone is no centre
    for guess in (_layout, _objects, _masks):
        if task in {None, Task.SEGMENTATION} and (starter := guess(surveys)):
            break
    else:
        starter = _tables(surveys, tables, task, output.absolute().parent)
        if starter is None and task in {None, Task.DETECTION}:
            starter = _objects(surveys, Task.DETECTION)
    if starter is None:
        raise ConfigError(_NOTHING_FOUND.format(folders=", ".join(f.name or str(f) for f in folders)))
    _place(starter, surveys, output.absolute().parent)
    return starter.kind, render(starter)


def _layout(surveys: list[Survey]) -> Starter | None:
    """An nnU-Net or Decathlon folder: its own description says it all."""
    if not (layout := surveys[0].layout) or any(s.layout != layout for s in surveys):
        return None
    rows = [r for s in surveys for r in LAYOUTS.get(layout).rows(s.root)]
    starter = Starter(layout, Task.SEGMENTATION)
    starter.sources = [{"layout": layout} for _ in surveys]
    starter.note("sources", f"dataset.json describes a data set in the layout of {layout}.")
    starter.labels = {n: {"value": v} for r in rows for v, n in r.labels}
    for (channel, template), row in _by_template([r for r in rows if r.role == "image"]).items():
        name = plain(channel) or "image"
        starter.channels.setdefault(name, {"modality": row.modality or _assumed(starter, name), "path": []})
        starter.channels[name]["path"].append(template)
    has_masks = any(r.role == "mask" for r in rows)
    starter.annotations = [{"kind": "layout"}]
    starter.note("annotations", "The masks that dataset.json names.")
    return starter if has_masks and starter.labels and starter.channels else None


def _by_template(rows: list[DatasetRow]) -> dict[tuple[str, str], DatasetRow]:
    """Channel and path template of rows, with one row of each."""
    return {
        (r.channel, r.path.replace(r.case, "{subject}", 1)): r for r in sorted(rows, key=lambda r: r.path)
    }


def _objects(surveys: list[Survey], task: Task = Task.SEGMENTATION) -> Starter | None:
    """DICOM images with files that name what was drawn on them: RTSTRUCT, SEG, ..."""
    shapes = _OUTLINES if task is Task.SEGMENTATION else _OUTLINES | {"boxes", "points"}
    names = sum((s.region_names(shapes) for s in surveys), Counter[str]())
    modalities = sum((s.modalities for s in surveys), Counter[str]())
    if not names or not modalities:
        return None
    starter = Starter("dicom-rtstruct" if task is Task.SEGMENTATION else "drawings", task)
    _dicom_channels(starter, modalities)
    ordered = sorted(names, key=lambda n: (-names[n], n))
    wanted = [n for n in ordered if not _SURROUNDINGS.fullmatch(n) and n.strip()]
    for name in wanted or ordered:
        words = [w for w in plain(name).split("-") if w not in _MODALITY_WORDS]
        label = "-".join(words) or plain(name) or "region"
        if label in starter.labels or len(starter.labels) < _MAX_LABELS:
            starter.labels.setdefault(label, {"aliases": []})["aliases"].append(name)
    taken = {a for label in starter.labels.values() for a in label["aliases"]}
    starter.note("labels", "The names of regions that were found most often; * and ? are allowed in aliases.")
    if others := sorted(set(names) - taken)[:20]:
        starter.note("labels", f"Also found: {', '.join(others)}")
    if task is Task.SEGMENTATION:
        starter.overlapping = len(starter.labels) > 1
        starter.note("overlapping", "Contours may overlap; set it to false if yours never do.")
    formats = sorted({f for s in surveys for f in s.object_formats(shapes)})
    starter.annotations = [{"kind": "objects", "format": f} for f in formats]
    called = " and ".join({"dicom-seg": "SEG"}.get(f, f.upper()) for f in formats)
    starter.note("annotations", f"{called} objects in the folders say themselves what they were drawn on.")
    return starter


def _dicom_channels(starter: Starter, modalities: Counter[str]) -> None:
    found = [m for m, _ in modalities.most_common() if m]
    first = next((m for m in ("CT",) if m in found), found[0] if found else "CT")
    starter.channels = {first.lower(): {"modality": first}}
    for other in sorted(set(found) - {first}):
        starter.note("channels", f"Also found: {other}. To add it:  {other.lower()}: {{modality: {other}}}")


def _masks(surveys: list[Survey]) -> Starter | None:
    """NIfTI or NRRD images and masks whose names tell which is which."""
    starter = Starter("masks", Task.SEGMENTATION)
    values = set[int]()
    for at, found in enumerate(surveys):
        pairs = pairs_of(groups_of(found.volumes))
        if not pairs:
            return None
        image, masks = pairs[0]
        channel = _volume_channel(starter, image)
        if image.template not in channel["path"]:
            channel["path"].append(image.template)
        readers = [m for i, m in pairs if masks.reader and m.reader and i.template == image.template]
        for theirs in readers or [masks]:
            entry = {"kind": "masks", "path": theirs.template, "image": image.template}
            entry |= {"rater": theirs.reader} if theirs.reader else {}
            if entry not in starter.annotations:
                starter.annotations.append(entry)
        patterns = [m.template for m in readers or [masks]]
        starter.sources.append({"subject": {"pattern": [*patterns, image.template]}})
        starter.note("sources", f"Folder {at + 1}: {len(image.paths)} images, {len(masks.paths)} masks.")
        for other, theirs in [p for p in pairs if p[1] is not masks and p[1] not in readers]:
            starter.note("annotations", f"Also found: masks {theirs.template} of images {other.template}")
        values |= _values_in(found, masks)
    starter.note("sources", "The subject was guessed from the file names.")
    starter.labels = {
        f"label-{v}" if len(values) > 1 else "foreground": {"value": v} for v in sorted(values or {1})
    }
    starter.note("labels", "Values found in some of the masks; give them their names.")
    return starter


def _values_in(found: Survey, masks: Group) -> set[int]:
    """Values of up to five masks."""
    out = set[int]()
    for path in masks.paths[:5]:
        try:
            name = format_of(read_head(found.root / path, HEAD_BYTES)) or ""
            if name in ANNOTATIONS.names():
                out |= set(ANNOTATIONS.get(name).names(found.root / path))
        except (FormatError, OSError):
            continue
    return {v for v in out if 0 < v <= 65535}


def _tables(surveys: list[Survey], tables: list[Path], task: Task | None, folder: Path) -> Starter | None:
    """A table of boxes, centres or class labels about images of any format."""
    guesses = [g for t in tables if (g := guess_table(t, surveys))]
    if task is not None:
        guesses = [g for g in guesses if (g.shape == "labels") is (task is Task.CLASSIFICATION)]
    best = max(guesses, key=lambda g: (g.n_matched, g.shape != "labels", g.path.name), default=None)
    if best is None:
        return None
    is_labels = best.shape == "labels"
    kind = "classification" if is_labels else "detection"
    starter = Starter(kind, Task.CLASSIFICATION if is_labels else Task.DETECTION)
    _image_channels(starter, surveys)
    starter.unit = "image" if best.key in {"instance", "series", "path"} else ""
    starter.labels = {n: {"aliases": [a]} if a and plain(a) != a else {} for n, a in best.labels.items()}
    starter.annotations = [_table_entry(best, folder)]
    starter.note(
        "annotations", f"{best.path.name}: {best.n_matched} rows name something that was looked into."
    )
    if not is_labels:
        starter.note("annotations", "world: LPS (DICOM, ITK, LUNA16) or RAS: a table does not say; check it.")
        starter.note(
            "annotations", "absent: an image without a row is left out (unknown), or has none (negative)."
        )
    for other in (g for g in guesses if g is not best):
        starter.note("annotations", f"Also found: {other.path.name}, {other.shape} by {other.key}")
    return starter


def _table_entry(guess: TableGuess, folder: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": "table", "path": _relative(guess.path, folder), "shape": guess.shape}
    entry["key"] = guess.key
    entry["columns"] = {"key": guess.column, **guess.columns}
    if guess.shape != "labels":
        entry |= {"world": "LPS"} | ({} if "label" in guess.columns else {"label": next(iter(guess.labels))})
        entry["absent"] = "unknown"
    return entry


def _image_channels(starter: Starter, surveys: list[Survey]) -> None:
    modalities = sum((s.modalities for s in surveys), Counter[str]())
    if modalities:
        _dicom_channels(starter, modalities)
        return
    for found in surveys:
        images = [g for g in groups_of(found.volumes) if not g.is_mask][:1]
        for image in images:
            _volume_channel(starter, image)["path"].append(image.template)
        starter.sources.append({"subject": {"pattern": [g.template for g in images]}} if images else {})
    if not starter.channels:
        starter.channels = {"ct": {"modality": "CT"}}


def _volume_channel(starter: Starter, image: Group) -> dict[str, Any]:
    """The channel of a group of volumes, made if need be."""
    if image.name not in starter.channels:
        modality = image.modality or _assumed(starter, image.name)
        starter.channels[image.name] = {"modality": modality, "path": []}
    return starter.channels[image.name]


def _assumed(starter: Starter, name: str) -> str:
    starter.note("channels", f"The files do not say what {name!r} shows; CT is assumed.")
    return "CT"


def _place(starter: Starter, surveys: list[Survey], folder: Path) -> None:
    """Fill in where the sources are, their centres and, for DICOM, the subject."""
    starter.sources = starter.sources or [{} for _ in surveys]
    names = [plain(s.root.resolve().name) for s in surveys]
    are_names = len(surveys) > 1 and len(set(names)) == len(names) and all(names)
    for at, (source, found) in enumerate(zip(starter.sources, surveys, strict=True)):
        head = {"path": _relative(found.root, folder), "site": names[at] if are_names else f"site-{at + 1}"}
        starter.sources[at] = head | source
        if "subject" not in source and "layout" not in source:
            starter.sources[at]["subject"] = _dicom_subject(starter, found)
        work = Path(os.path.relpath(folder / "work", found.root.resolve())).as_posix()
        if not work.startswith(".."):
            starter.sources[at]["exclude"] = [f"{work}/**"]
            starter.note("sources", "The workspace lies in the folder and is left out.")


def _dicom_subject(starter: Starter, found: Survey) -> dict[str, Any]:
    if found.has_patient_ids:
        return {"tag": "PatientID"}
    starter.note(
        "sources", "Most images name no patient; the first folder of the path is taken for the subject."
    )
    return {"pattern": ["{subject}/**"]}


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
