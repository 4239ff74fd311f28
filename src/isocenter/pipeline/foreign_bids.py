"""BIDS: the images of a tree sub-*/ses-*/, with partitions and sites out of participants.tsv."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from isocenter.base.delimited import read_csv_rows
from isocenter.base.errors import ConfigError, FormatError
from isocenter.pipeline.foreign import ForeignImage, ForeignSet
from isocenter.pipeline.foreign_columns import plain
from isocenter.pipeline.foreign_documents import read_document
from isocenter.pipeline.foreign_table import Reader, TableWords, divided

_PARTICIPANTS = "participants.tsv"
_IMAGES = (".nii.gz", ".nii")


def is_bids(path: Path) -> bool:
    """Whether a folder holds a participants.tsv."""
    return (path / _PARTICIPANTS).is_file()


def read_bids(root: Path, words: TableWords) -> ForeignSet:
    """The split that participants.tsv tells, and every NIfTI file of its participants.

    Raises:
        ConfigError: participants.tsv has no column that divides the participants.
        FormatError: a table is damaged.
    """
    path = root / _PARTICIPANTS
    header, rows = read_csv_rows(path)
    reader = Reader(header, replace(words, images=root), root)
    images: dict[str, ForeignImage] = {}
    places: dict[str, dict[tuple[str, str], None]] = {}
    without = 0
    for number, row in enumerate(rows, start=2):
        person = reader.image(number, row)
        found = list(_scans(root, person))
        without += not found
        split, partition = reader.place(row)
        for image in found or [person]:
            images[image.id] = image
            places.setdefault(split, {})[image.id, partition] = None
    strangers = len(
        {f.name for f in root.glob("sub-*") if f.is_dir()} - {_folder(i.subject) for i in images.values()}
    )
    notes = []
    if without:
        notes.append(f"participants without an image: {without}")
    if strangers:
        notes.append(f"folders of subjects that {_PARTICIPANTS} does not name: {strangers}")
    if not places:
        raise ConfigError(f"{_PARTICIPANTS} names nobody")
    return ForeignSet(images=images, splits=divided(places), notes=tuple(notes), lost=without)


def _folder(subject: str) -> str:
    return subject if subject.startswith("sub-") else f"sub-{subject}"


def _scans(root: Path, person: ForeignImage) -> Iterator[ForeignImage]:
    """The images of a participant, with what the files beside them say of scanner and date."""
    folder = root / _folder(person.subject)
    if "/" in person.subject or ".." in person.subject or folder.is_symlink() or not folder.is_dir():
        return
    dates = _dates(folder)
    files = [
        f
        for f in sorted(folder.rglob("*"))
        # a link whose file was never fetched (DataLad) is an image that is not there, not none
        if f.name.endswith(_IMAGES) and (f.is_file() or (f.is_symlink() and not f.is_dir()))
    ]
    for file in files:
        name = file.relative_to(root).as_posix()
        sidecar = _sidecar(file)
        facts = {
            plain(n): str(v)
            for n, v in sidecar.items()
            if plain(n) in _TOLD and isinstance(v, str | int | float)
        }
        yield replace(
            person,
            id=name,
            case=name,
            path=file,
            site=person.site or str(sidecar.get("InstitutionName", "")),
            date=dates.get(file, person.date),
            facts=tuple(sorted({**{_TOLD[n]: v for n, v in facts.items()}, **dict(person.facts)}.items())),
        )


_TOLD = {
    "manufacturer": "manufacturer",
    "manufacturersmodelname": "manufacturers_model_name",
    "magneticfieldstrength": "magnetic_field_strength",
    "softwareversions": "software_versions",
    "receivecoilname": "receive_coil_name",
    "slicethickness": "slice_thickness",
    "echotime": "echo_time",
    "repetitiontime": "repetition_time",
}
"""Keys of a sidecar that tell the scanner (BIDS 1.10, scanner hardware), and the columns they are the same as."""


def _sidecar(image: Path) -> Mapping[str, Any]:
    stem = next(image.name.removesuffix(e) for e in _IMAGES if image.name.endswith(e))
    path = image.with_name(f"{stem}.json")
    if not path.is_file():
        return {}
    try:
        found = read_document(path)
    except FormatError:
        return {}
    return found if isinstance(found, dict) else {}


def _dates(folder: Path) -> dict[Path, str]:
    """Acquisition times of *_scans.tsv, by file."""
    out: dict[Path, str] = {}
    for table in sorted(folder.rglob("*_scans.tsv")):
        header, rows = read_csv_rows(table)
        if {"filename", "acq_time"} <= set(header):
            out |= {
                table.parent / r["filename"]: r["acq_time"] for r in rows if r["acq_time"].lower() != "n/a"
            }
    return out
