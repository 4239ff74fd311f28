"""MONAI: the datalist, a JSON file with lists of images under training, validation and testing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isocenter.base.errors import ConfigError, FormatError
from isocenter.pipeline.foreign import ForeignImage, ForeignSet, ForeignSplit, SubjectOf
from isocenter.pipeline.foreign_documents import read_document, stem_of
from isocenter.pipeline.foreign_table import named

_LISTS = ("training", "train", "validation", "val", "testing", "test")
_SUBJECTS = ("subject", "subject_id", "patient", "patient_id", "patientid", "PatientID")
_SITES = ("site", "center", "centre", "institution")


def is_monai(path: Path) -> bool:
    """Whether a JSON file holds lists of images under the names that MONAI has for partitions."""
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        found = read_document(path)
    except FormatError:
        return False
    return isinstance(found, dict) and any(isinstance(found.get(n), list) and found[n] for n in _LISTS)


def read_monai(path: Path, subject: str, *, images: Path | None = None) -> ForeignSet:
    """The splits of a datalist: one, or one for each value of `fold` of its training entries.

    Args:
        path: The datalist.
        subject: Template that finds the subject in the name of an image (without its ending), or in its path where
            the template has a slash; an entry that names its patient needs none.
        images: Folder that paths are relative to, by default that of the datalist.

    Raises:
        ConfigError: the pattern does not fit, or there are fewer than two partitions.
        FormatError: the file is no datalist.
    """
    found = read_document(path)
    if not isinstance(found, dict):
        raise FormatError(
            "file/corrupt", f"{path.name} is no datalist: it holds no lists under training, testing, ..."
        )
    finds = SubjectOf(subject)
    known: dict[str, ForeignImage] = {}
    entries: list[tuple[list[str], str, str]] = []
    for name in _LISTS:
        listed = found.get(name, [])
        if not isinstance(listed, list):
            raise FormatError("file/corrupt", f"{path.name} has something else than a list under {name}")
        for entry in listed:
            made = _images(entry, finds, subject, images or path.parent, path.name)
            known |= {i.id: i for i in made}
            fold = str(entry["fold"]) if isinstance(entry, Mapping) and "fold" in entry else ""
            entries.append(([i.id for i in made], named(name), fold))
    folds = sorted({fold for _, part, fold in entries if part == "train" and fold})
    splits = (
        [_split(f"fold-{f}", entries, f) for f in folds]
        if len(folds) > 1
        else [_split("datalist", entries, "")]
    )
    if min(len(s.partitions) for s in splits) < 2:
        raise ConfigError(
            "the datalist does not divide its images: it has fewer than two lists, and no folds"
        )
    return ForeignSet(images=known, splits=tuple(splits))


def _split(name: str, entries: list[tuple[list[str], str, str]], held_out: str) -> ForeignSplit:
    """The entries of one fold are its validation part; without folds everything is as listed."""
    places: dict[tuple[str, str], None] = {}
    for ids, part, fold in entries:
        partition = "val" if held_out and part == "train" and fold == held_out else part
        places |= {(i, partition): None for i in ids}
    partitions = tuple(dict.fromkeys(p for _, p in places))
    return ForeignSplit(name=name, partitions=partitions, places=tuple(places))


def _images(entry: Any, finds: SubjectOf, pattern: str, folder: Path, source: str) -> list[ForeignImage]:
    """The images of one entry: a path, or a mapping with image (one or several) and label."""
    told: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {"image": entry}
    image = told.get("image")
    paths = [image] if isinstance(image, str) else image
    if not isinstance(paths, list) or not paths or not all(isinstance(p, str) for p in paths):
        raise FormatError("file/corrupt", f"{source} has an entry without an image")
    label = told.get("label")
    own = next((str(told[n]) for n in _SUBJECTS if told.get(n) not in (None, "")), "")
    return [
        ForeignImage(
            id=path,
            subject=own or finds(path if "/" in pattern else stem_of(path)),
            case=paths[0],
            path=folder / path,
            mask=folder / label if isinstance(label, str) and "." in label else None,
            labels=_labels(label),
            site=next((str(told[n]) for n in _SITES if told.get(n)), ""),
        )
        for path in paths
    ]


def _labels(label: Any) -> tuple[str, ...]:
    """Classes an entry is positive for: those of a number, a word, or a list of ones and zeros."""
    if isinstance(label, list) and all(isinstance(v, int | float) for v in label):
        return tuple(f"class {n}" for n, value in enumerate(label) if value)
    if isinstance(label, bool | int | float):
        return (f"class {label:g}",) if label else ()
    return (label,) if isinstance(label, str) and "." not in label and label else ()
