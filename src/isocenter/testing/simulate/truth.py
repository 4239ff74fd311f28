"""What was planted: the cases, faults and identifiers of a simulated archive, as data and as JSON.

Digests let a test compare whole arrays without carrying them: `digest` of a mark and `values_digest` of a
case are `blake2b(..., digest_size=16)` over the C-contiguous bytes of the array in the nearest canonical
orientation (i to the right, j to the front, k to the head; `[k, j, i]`), masks as uint8 and CT as int16
Hounsfield units with padding at -1024.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Expected(enum.StrEnum):
    """What a correct program does with a thing, at the defaults."""

    KEEP = "keep"
    NOTE = "note"
    REVIEW = "review"
    REJECT = "reject"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One label by one reader on one image.

    Args:
        reader: Who.
        label: Label of the vocabulary; "" where the name is not in it.
        name: As written in the file: a region's name, or the mask value.
        path: The file it is in.
        voxels: Voxel centres inside; 0 where the reader looked and found nothing.
        volume_ml: Of the analytic shape; 0 where nothing was marked.
        centre_mm: Of the analytic shape, RAS+.
        digest: Of the mask, see the module.
    """

    reader: str
    label: str
    name: str
    path: str
    voxels: int = 0
    volume_ml: float = 0.0
    centre_mm: tuple[float, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueCase:
    """One image and what is known of it.

    Args:
        kind: Kind of the archive's part, e.g. "ct-rtstruct".
        site: The centre; also its folder.
        subject: As the files name it: PatientID, or the part of the path.
        study_date: YYYYMMDD; "" where the format has none.
        modality: CT, MR, PT or DX.
        format: dicom, nifti or nrrd.
        paths: Its image files, relative to the archive, in the order of k.
        series_uid: "" where the format has none.
        shape: (K, J, I) as stored; DICOM slices in the order of their positions along the normal.
        affine: 16 numbers, row by row: (i, j, k, 1) as stored to RAS+ millimetres.
        canonical_shape: (K, J, I) in the nearest canonical orientation.
        values_digest: See the module; CT only, and "" (as digests of marks) where nobody can know the axes.
        padding_voxels: How many stored values are padding.
        registered_with: Series of the same frame of reference that this one belongs to.
        marks: What readers marked.
        dice: Label to the agreement of the two readers.
        labels: Class labels that hold.
        centres: (x, y, z, diameter) in LPS millimetres of each listed nodule.
        attributes: Age in years, sex, weight and device as a reader of the header would give them.
        faults: Names of the planted faults it carries.
        expected: What becomes of it in a cohort that asks for its modality.
    """

    kind: str
    site: str
    subject: str
    modality: str
    format: str
    paths: tuple[str, ...]
    study_date: str = ""
    series_uid: str = ""
    shape: tuple[int, ...] = ()
    affine: tuple[float, ...] = ()
    canonical_shape: tuple[int, ...] = ()
    values_digest: str = ""
    padding_voxels: int = 0
    registered_with: str = ""
    marks: tuple[Mark, ...] = ()
    dice: dict[str, float] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    centres: tuple[tuple[float, ...], ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    expected: Expected = Expected.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedFault:
    """One thing that is wrong on purpose.

    Args:
        name: Stable name, e.g. "slice-missing".
        site: The centre.
        subject: As in `TrueCase`; "" where it belongs to nobody.
        paths: Files that carry it, relative to the archive.
        scope: What the expectation is about: "file", "case" or "annotation".
        expected: What a correct program does, at the defaults.
        why: One sentence.
    """

    name: str
    site: str
    subject: str
    paths: tuple[str, ...]
    scope: str
    expected: Expected
    why: str


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """One text that must never leave the archive, and what kind of text it is."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueSite:
    """One part of the archive: its folder, kind, and path templates of images and masks."""

    name: str
    kind: str
    folder: str
    images: str = ""
    masks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Everything that is known of a simulated archive."""

    seed: int
    sites: tuple[TrueSite, ...]
    cases: tuple[TrueCase, ...]
    faults: tuple[PlantedFault, ...]
    identifiers: tuple[Identifier, ...]
    readers: tuple[str, ...]
    vocabulary: dict[str, tuple[str, ...]]

    def write(self, path: Path) -> None:
        """Write it as JSON, the same bytes for the same truth."""
        text = json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8", newline="\n")

    @classmethod
    def read(cls, path: Path) -> Truth:
        """Read what `write` wrote."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        cases = []
        for case in raw["cases"]:
            case["marks"] = tuple(Mark(**_frozen(mark)) for mark in case["marks"])
            cases.append(TrueCase(**{**_frozen(case), "expected": Expected(case["expected"])}))
        faults = [PlantedFault(**{**_frozen(f), "expected": Expected(f["expected"])}) for f in raw["faults"]]
        return cls(
            seed=raw["seed"],
            sites=tuple(TrueSite(**site) for site in raw["sites"]),
            cases=tuple(cases),
            faults=tuple(faults),
            identifiers=tuple(Identifier(**item) for item in raw["identifiers"]),
            readers=tuple(raw["readers"]),
            vocabulary={label: tuple(names) for label, names in raw["vocabulary"].items()},
        )


def digest(array: NDArray[np.generic]) -> str:
    """The digest of an array's bytes, see the module."""
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).hexdigest()


def _frozen(value: Any) -> Any:
    """JSON lists as tuples, at every depth."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
