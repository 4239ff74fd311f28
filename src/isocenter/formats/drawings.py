"""Files of annotations that are no images: what each one names, and which images it says it was drawn on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from isocenter.base.plugins import Plugins
from isocenter.formats.annotation import ANNOTATIONS, AnnotationFormat
from isocenter.formats.image import FORMATS
from isocenter.model.annotation import Part
from isocenter.model.rows import AnnotationObject

# Formats of annotations inside of files whose header an image format reads.
_IN_IMAGES = {"rtstruct", "dicom-seg", "dicom-report"}


class DrawingFormat(AnnotationFormat, Protocol):
    """An annotation format whose files are told by their kind, which has the name of the format.

    Contract:
        * `row` names the parts that `parts` gives, in the same order, and reads nothing else than the file.
    """

    def row(self, path: Path, file_id: str, source: int, site: str) -> AnnotationObject:
        """What is in the file, and on which images it was drawn."""


DRAWINGS: Plugins[DrawingFormat] = Plugins("isocenter.formats.annotations")


@cache
def drawing_kinds() -> frozenset[str]:
    """Kinds of files that hold annotations and no image."""
    return frozenset(ANNOTATIONS.names()) - frozenset(FORMATS.names()) - _IN_IMAGES


def row_of(
    name: str, parts: Sequence[Part], file_id: str, source: int, site: str, **facts: Any
) -> AnnotationObject:
    """The row of a file with these parts.

    Args:
        name: Name of the format.
        parts: What is in the file.
        file_id: Identifier of the file.
        source: Number of the source.
        site: Where the file comes from.
        facts: Further fields of the row.
    """
    return AnnotationObject(
        file_id=file_id,
        source=source,
        site=site,
        format=name,
        labels=tuple(p.name for p in parts),
        numbers=tuple(p.key for p in parts),
        codes=tuple(p.code for p in parts),
        ids=tuple(p.id for p in parts),
        shapes=tuple(p.shape for p in parts),
        pictures=tuple(p.picture for p in parts) if any(p.picture for p in parts) else (),
        **facts,
    )
