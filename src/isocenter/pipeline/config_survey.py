"""A quick look at a folder: its file names, and the headers of a bounded number of its files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from isocenter.base.errors import FormatError
from isocenter.base.files import open_regular, walk
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.dataset import LAYOUTS
from isocenter.formats.drawings import DRAWINGS, drawing_kinds
from isocenter.formats.image import FORMATS, HEAD_BYTES, Scan, format_of
from isocenter.formats.kinds import kind_of
from isocenter.model.modality import is_defined, meant_by
from isocenter.model.rows import AnnotationObject

MAX_FILES = 200_000
MAX_SCANS = 1_500
TABLE_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
VOLUME_ENDINGS = (".nrrd", ".nhdr", ".nii", ".nii.gz", ".hdr", ".mha", ".mhd")
# Kinds of annotation objects that name what is in them.
OBJECTS = {"dicom-rtstruct", "dicom-seg", "dicom-report", *drawing_kinds()}


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look at one folder has shown.

    Args:
        root: The folder.
        paths: Paths of its files, relative to it, sorted.
        scans: Headers of the files that were looked into.
        layout: Name of the known layout of the folder as a whole, or "".
    """

    root: Path
    paths: tuple[str, ...]
    scans: dict[str, Scan] = field(default_factory=dict)
    layout: str = ""

    @property
    def tables(self) -> list[str]:
        """Paths of CSV and TSV files."""
        return [p for p in self.paths if p.lower().endswith(TABLE_ENDINGS)]

    @property
    def volumes(self) -> list[str]:
        """Paths of NIfTI, NRRD and MetaImage files."""
        return [p for p in self.paths if p.lower().endswith(VOLUME_ENDINGS)]

    @property
    def modalities(self) -> Counter[str]:
        """How many of the DICOM images that were looked into are of each modality; "" where it is no term."""
        scans = (s for s in self.scans.values() if s.kind == "dicom-image" and s.instance)
        meant = (meant_by(s.instance.modality or "") for s in scans if s.instance)
        return Counter(m if is_defined(m) else "" for m in meant)

    def region_names(self, shapes: AbstractSet[str]) -> Counter[str]:
        """How many annotation objects of formats that can hold some shapes have a region of each name."""
        return Counter(n for a in self._objects(shapes) for n in set(a.labels))

    def object_formats(self, shapes: AbstractSet[str]) -> list[str]:
        """Formats of the annotation objects that were looked into, those that can hold some shapes."""
        return sorted({a.format for a in self._objects(shapes)})

    def _objects(self, shapes: AbstractSet[str]) -> list[AnnotationObject]:
        found = (s.annotation for s in self.scans.values() if s.kind in OBJECTS)
        return [a for a in found if a and a.numbers and shapes & set(ANNOTATIONS.get(a.format).SHAPES)]

    @property
    def has_patient_ids(self) -> bool:
        """Whether most DICOM images that were looked into name their patient."""
        found = [s.instance for s in self.scans.values() if s.kind == "dicom-image" and s.instance]
        return not found or 2 * sum(bool(i.patient_id) for i in found) > len(found)


def survey(root: Path) -> Survey:
    """Look at a folder: at most 200,000 names, and 1,500 headers spread over its subfolders."""
    paths = tuple(e.path for e in islice(walk(root), MAX_FILES) if e.kind == "file")
    scans = {p: scan for p in _spread(paths) if (scan := _scan(root / p)) is not None}
    layout = next((name for name, known in LAYOUTS if known.is_layout(root)), "")
    return Survey(root, paths, scans, layout)


def _spread(paths: tuple[str, ...]) -> list[str]:
    """First, middle and last file of every subfolder (annotation objects mostly have one of their own)."""
    folders: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        folders[path.rpartition("/")[0]].append(path)
    if len(folders) == 1:
        return list(paths[:: max(1, len(paths) // MAX_SCANS)][:MAX_SCANS])
    chosen = [p for found in folders.values() for p in {found[0], found[len(found) // 2], found[-1]}]
    step = max(1, len(chosen) // MAX_SCANS)
    return sorted(chosen)[::step][:MAX_SCANS]


def _scan(path: Path) -> Scan | None:
    try:
        with open_regular(path) as file:
            head = file.read(HEAD_BYTES)
        if name := format_of(head):
            return FORMATS.get(name).scan(path, "", 0, "")
        kind = kind_of(head)
        if kind not in drawing_kinds():
            return None
        return Scan(kind=kind, annotation=DRAWINGS.get(kind).row(path, "", 0, ""))
    except (FormatError, OSError):
        return None
