"""What the enrol stage is told: where annotations come from, and how cases are laid out in shards."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Annotated

from isocenter.imaging.alignment import ACCEPTABLE, OTHER_GRIDS
from isocenter.model.task import TaskContract


class AnnotationKind(enum.StrEnum):
    """Where annotations are."""

    OBJECTS = "objects"
    MASKS = "masks"
    LAYOUT = "layout"
    TABLE = "table"


class TableShape(enum.StrEnum):
    """What a row of an annotation table says."""

    LABELS = "labels"
    BOXES = "boxes"
    CENTRES = "centres"


class Absent(enum.StrEnum):
    """What it means when an image has no annotation from a source."""

    UNKNOWN = "unknown"
    NEGATIVE = "negative"


class CaseUnit(enum.StrEnum):
    """What one case is: all of a patient, a study, a series, one side of the body in a study, or one image."""

    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"
    SIDE = "side"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationSource:
    """One origin of annotations.

    `objects`: files found in the sources that name what is in them, and most of which say themselves what they were
    drawn on: RTSTRUCT, SEG and, where `format` asks for them, DICOM reports, .seg.nrrd, AIM, LIDC, COCO, VOC, markups.
    `masks`: label-map files found by a path template; they belong to the image whose template has the same
    named parts. `layout`: the masks that the layout of a source names (nnunet, decathlon). `table`: a CSV or TSV
    file of class labels, boxes, or centres with diameters. A file that fits several entries is read by the first.
    """

    kind: Annotated[AnnotationKind, "objects, masks, layout or table"]
    rater: Annotated[
        str,
        "who marked it; may hold named parts of the path, e.g. {reader}; {file}: every file is a reader's",
    ] = ""
    format: Annotated[
        str,
        "objects: only this format: rtstruct, dicom-seg, dicom-report (TID 1500), nrrd (.seg.nrrd), aim, lidc-xml, coco, "
        "voc, slicer-markups; empty: rtstruct and dicom-seg",
    ] = ""
    path: Annotated[str, "masks and objects: path template; table: file, relative to the config"] = ""
    image: Annotated[
        str,
        "masks and objects: path template of the image they belong to, where they do not say it themselves; empty: same "
        "subject and grid, or the image that the points of an object lie in",
    ] = ""
    covers: Annotated[
        str,
        "masks and objects: what was looked at: image (all of it), slices (those with something on them) or marks "
        "(nothing else); empty: slices for what was drawn on single pictures of a volume, else image",
    ] = ""
    inside: Annotated[
        str, "objects: a voxel is inside contours by its centre, or by area: half of it or more"
    ] = "centre"
    values: Annotated[dict[int, str], "masks: mask value to label, where it is not labels.*.value"] = field(
        default_factory=dict
    )
    names: Annotated[
        str,
        "masks: file that names their values (JSON, dseg.tsv, ITK-SNAP, .ctbl, FreeSurfer), relative to the config, or a "
        "path template of such files beside the masks",
    ] = ""
    shape: Annotated[TableShape, "table: what a row says: labels, boxes or centres"] = TableShape.LABELS
    key: Annotated[
        str,
        "table: what its key column holds, and so what a row speaks of: subject, study, series, instance (of a volume: one "
        "slice) or path (a template part: name)",
    ] = "subject"
    columns: Annotated[
        dict[str, str],
        "table: our name to its column: key, site, side (L or R), label, x, y, z, diameter_mm, x0 y0 z0 x1 y1 z1, rater, or "
        "a label name to a column of 0 and 1",
    ] = field(default_factory=dict)
    separator: Annotated[str, "table: what separates several labels in one field"] = "|"
    world: Annotated[str, "table: axes of its millimetres, LPS (DICOM, ITK, LUNA16) or RAS"] = "LPS"
    label: Annotated[str, "table: the one label of all its rows, where it has no label column"] = ""
    fraction: Annotated[
        float,
        "objects: of a fractional SEG, a voxel is taken from this part of its maximum on; above 0, up to 1",
    ] = 0.5
    absent: Annotated[
        Absent, "an image without annotation from here: unknown (it is left out) or negative"
    ] = Absent.UNKNOWN
    align: Annotated[
        str,
        "masks of other voxels than their image, in the same space: review (resampled, and held for a person), resample "
        "or reject",
    ] = "review"
    accept: Annotated[
        tuple[str, ...],
        "what a person has looked at and found of masks that do not lie on their image: half-voxel, negated (RAS+ taken "
        "for LPS), no-position, unit (these are undone), off-by-one, shifted, turn (these lie where they say they do)",
    ] = ()

    @property
    def has_names_by_path(self) -> bool:
        """Whether label tables lie beside the masks, and are not one file for all."""
        return any(mark in self.names for mark in "{*?")

    def __post_init__(self) -> None:
        if self.kind in {AnnotationKind.MASKS, AnnotationKind.TABLE} and not self.path:
            raise ValueError(f"annotations of kind {self.kind} need a path")
        if self.covers not in {"", "image", "slices", "marks"}:
            raise ValueError("covers must be image, slices or marks")
        if self.align not in OTHER_GRIDS:
            raise ValueError(f"align must be one of {', '.join(OTHER_GRIDS)}")
        if unknown := sorted(set(self.accept) - set(ACCEPTABLE)):
            raise ValueError(f"accept knows {', '.join(ACCEPTABLE)}, not {', '.join(unknown)}")
        if self.names and self.values:
            raise ValueError("names cannot stand beside values: both say what mask values mean")
        if self.inside not in {"centre", "area"}:
            raise ValueError("inside must be centre or area")
        if self.world not in {"LPS", "RAS"}:
            raise ValueError("world must be LPS or RAS")
        if not 0 < self.fraction <= 1:
            raise ValueError("fraction must be above 0 and at most 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """How the packed data set is laid out."""

    backend: Annotated[str, "file format of the shards"] = "hdf5"
    shards: Annotated[int | None, "number of shards, a power of two; chosen by the first run if empty"] = None
    shard_bytes: Annotated[int, "bytes a shard should have, before compression"] = 256 << 20
    patch: Annotated[
        tuple[int, ...], "patch (k, j, i) in voxels that will be read most: chunks are chosen for it"
    ] = (128, 128, 128)
    chunk: Annotated[tuple[int, ...] | None, "chunk (k, j, i) in voxels; chosen for the patch if empty"] = (
        None
    )

    def __post_init__(self) -> None:
        if self.shards is not None and (self.shards < 1 or self.shards & (self.shards - 1)):
            raise ValueError("shards must be a power of two")
        for name, sizes in {"chunk": self.chunk, "patch": self.patch}.items():
            if sizes is not None and (len(sizes) != 3 or min(sizes) < 1):
                raise ValueError(f"{name} needs three sizes (k, j, i), each at least 1")
        if self.shard_bytes < 1:
            raise ValueError("shard_bytes must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolOptions:
    """Everything that decides which cases there are and how they are laid out."""

    contract: TaskContract
    annotations: tuple[AnnotationSource, ...]
    unit: CaseUnit
    store: StoreOptions
    spacing: str | float | tuple[float, ...]
    recipe: str
    pet: str = "stored"
