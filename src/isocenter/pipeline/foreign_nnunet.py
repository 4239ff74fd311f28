"""nnU-Net: the folds of a splits_final.json, and imagesTr against imagesTs of a raw data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocenter.base.errors import ConfigError, FormatError
from isocenter.formats.dataset import LAYOUTS, DatasetRow
from isocenter.pipeline.foreign import ForeignImage, ForeignSet, ForeignSplit, SubjectOf
from isocenter.pipeline.foreign_documents import read_document

_FOLDS = "splits_final.json"
_FINGERPRINT = "dataset_fingerprint.json"


def is_nnunet(path: Path) -> bool:
    """Whether a path is a splits_final.json, a folder with one, or a raw data set."""
    if path.is_file():
        return path.name.startswith("splits_final") and path.suffix == ".json"
    return (path / _FOLDS).is_file() or LAYOUTS.get("nnunet").is_layout(path)


def read_nnunet(path: Path, subject: str, *, images: Path | None = None) -> ForeignSet:
    """The folds of nnU-Net, and its images where they are.

    Args:
        path: A splits_final.json, the folder that holds it, or a raw data set (with or without one).
        subject: Template that finds the subject in a case's name.
        images: The raw data set, where `path` is not it.

    Raises:
        ConfigError: the pattern does not fit, or there is nothing to check.
        FormatError: a file is not what its name says.
    """
    finds_subject = SubjectOf(subject)
    folder = path if path.is_dir() else path.parent
    raw = images or folder
    files = _files(raw) if LAYOUTS.get("nnunet").is_layout(raw) else {}
    document = path if path.is_file() else folder / _FOLDS
    folds = _folds(document) if document.is_file() else []
    fitted = _fingerprint(folder / _FINGERPRINT)
    named = {case for fold in folds for cases in fold.values() for case in cases}
    known = {
        case: _images(case, finds_subject(case), files.get(case, ()), raw)
        for case in sorted(named | set(files))
    }
    splits = [_fold(number, fold, known, fitted) for number, fold in enumerate(folds)]
    test = sorted(c for c, rows in files.items() if any(r.partition == "test" for r in rows))
    if test:
        train = sorted(set(files) - set(test))
        splits.append(_split("imagesTr-imagesTs", {"train": train, "test": test}, known))
    if not splits:
        raise ConfigError(f"there is no split to check: neither {_FOLDS} nor images in imagesTs")
    return ForeignSet(
        images={image.id: image for found in known.values() for image in found},
        splits=tuple(splits),
        notes=tuple(_notes(folds, files, named)),
    )


def _folds(path: Path) -> list[dict[str, list[str]]]:
    folds = read_document(path)
    if not isinstance(folds, list) or not all(_is_fold(fold) for fold in folds):
        raise FormatError("file/corrupt", f"{_FOLDS} is no list of folds with train and val")
    return folds


def _is_fold(fold: Any) -> bool:
    return (
        isinstance(fold, Mapping)
        and {"train", "val"} <= set(fold)
        and all(isinstance(v, list) and all(isinstance(c, str) for c in v) for v in fold.values())
    )


def _files(raw: Path) -> dict[str, list[DatasetRow]]:
    """The files of a raw data set by case; a case of imagesTs that is also in imagesTr is another file of it."""
    out: dict[str, list[DatasetRow]] = defaultdict(list)
    for row in LAYOUTS.get("nnunet").rows(raw):
        out[row.case].append(row)
    return dict(out)


def _images(case: str, subject: str, rows: Sequence[DatasetRow], raw: Path) -> list[ForeignImage]:
    """The images of a case, one per channel, each with its mask; itself alone where no file is known."""
    mask = {r.partition: r for r in rows if r.role == "mask"}
    out = [
        ForeignImage(
            id=row.path,
            subject=subject,
            case=case,
            path=raw / row.path,
            mask=raw / mask[row.partition].path if row.partition in mask else None,
            values=mask[row.partition].labels if row.partition in mask else (),
        )
        for row in rows
        if row.role == "image"
    ]
    return out or [ForeignImage(id=case, subject=subject, case=case)]


def _fold(
    number: int,
    fold: Mapping[str, Sequence[str]],
    known: Mapping[str, Sequence[ForeignImage]],
    fitted: tuple[tuple[str, int], ...],
) -> ForeignSplit:
    return _split(f"fold-{number}", fold, known, fitted)


def _split(
    name: str,
    cases: Mapping[str, Sequence[str]],
    known: Mapping[str, Sequence[ForeignImage]],
    fitted: tuple[tuple[str, int], ...] = (),
) -> ForeignSplit:
    places = {
        (image.id, partition): None for partition, found in cases.items() for c in found for image in known[c]
    }
    return ForeignSplit(name=name, partitions=tuple(cases), places=tuple(places), fitted=fitted)


def _fingerprint(path: Path) -> tuple[tuple[str, int], ...]:
    """On how many cases nnU-Net measured spacings and intensities."""
    if not path.is_file():
        return ()
    found = read_document(path)
    spacings = found.get("spacings") if isinstance(found, dict) else None
    return ((_FINGERPRINT, len(spacings)),) if isinstance(spacings, list) else ()


def _notes(folds: Sequence[Any], files: Mapping[str, Sequence[DatasetRow]], named: set[str]) -> list[str]:
    notes = []
    train = {c for c, rows in files.items() if any(r.partition != "test" for r in rows)}
    if folds and (unused := train - named):
        notes.append(f"cases of imagesTr that are in no fold: {len(unused)}")
    if files and (lost := named - set(files)):
        notes.append(f"cases of {_FOLDS} that have no image: {len(lost)}")
    return notes
