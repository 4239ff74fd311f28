"""nnU-Net: the folds of a splits_final.json, and imagesTr against imagesTs of a raw data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocenter.base.errors import ConfigError, FormatError
from isocenter.formats.dataset import LAYOUTS, DatasetRow
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
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
    train, test = (_side(files, is_test=is_test) for is_test in (False, True))
    known = {c: _images(c, finds_subject(c), train.get(c, ()), raw) for c in sorted(named | set(train))}
    held_out = {c: _images(c, finds_subject(c), rows, raw) for c, rows in sorted(test.items())}
    splits = [_split(f"fold-{n}", [(p, cases, known) for p, cases in f.items()]) for n, f in enumerate(folds)]
    if test:
        sides = [("train", sorted(train), known), ("test", sorted(test), held_out)]
        beyond = ((_FINGERPRINT, fitted),) if fitted and fitted > len(train) else ()
        splits.append(_split("imagesTr-imagesTs", sides, beyond))
    lost = named - set(train) if files else set()
    if not splits:
        raise ConfigError(f"there is no split to check: neither {_FOLDS} nor images in imagesTs")
    return ForeignSet(
        images={i.id: i for found in (*known.values(), *held_out.values()) for i in found},
        splits=tuple(splits),
        notes=tuple(_notes(set(train) - named if folds else set(), lost)),
        lost=len(lost),
        issues=tuple(_fitted(fitted, len(train))) if folds and fitted else (),
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


def _side(files: Mapping[str, Sequence[DatasetRow]], *, is_test: bool) -> dict[str, list[DatasetRow]]:
    """The files of every case that has an image in imagesTs, or in imagesTr: one name may be in both."""
    sides = {c: [r for r in rows if (r.partition == "test") is is_test] for c, rows in files.items()}
    return {c: rows for c, rows in sides.items() if any(r.role == "image" for r in rows)}


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


def _split(
    name: str,
    parts: Sequence[tuple[str, Sequence[str], Mapping[str, Sequence[ForeignImage]]]],
    fitted: tuple[tuple[str, int], ...] = (),
) -> ForeignSplit:
    """A split of partitions, each with its cases and the images to find theirs in."""
    places = {(i.id, partition): None for partition, cases, images in parts for c in cases for i in images[c]}
    return ForeignSplit(
        name=name, partitions=tuple(p for p, _, _ in parts), places=tuple(places), fitted=fitted
    )


def _fingerprint(path: Path) -> int:
    """On how many cases nnU-Net measured spacings and intensities; 0 where it does not say."""
    if not path.is_file():
        return 0
    found = read_document(path)
    spacings = found.get("spacings") if isinstance(found, dict) else None
    return len(spacings) if isinstance(spacings, list) else 0


def _fitted(cases: int, known: int) -> list[Issue]:
    """What a fingerprint means for folds: the file tells how many cases it saw, not which."""
    expected = f"unknown cases of imagesTr, which has {known}" if known else "unknown cases of imagesTr"
    return [because("audit/fingerprint-of-all-folds", measured=str(cases), expected=expected, unit="cases")]


def _notes(unused: set[str], lost: set[str]) -> list[str]:
    notes = []
    if unused:
        notes.append(f"cases of imagesTr that are in no fold: {len(unused)}")
    if lost:
        notes.append(f"cases of {_FOLDS} that have no image: {len(lost)}")
    return notes
