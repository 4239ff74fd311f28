"""Pascal VOC XML: boxes on one picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.drawings import row_of
from isocenter.formats.xml_file import read_xml, text_of
from isocenter.imaging.pixel_shapes import PixelBoxes
from isocenter.model.annotation import Annotation, Part
from isocenter.model.rows import AnnotationObject

SHAPES = ("boxes",)
_BORDERS = ("xmin", "ymin", "xmax", "ymax")


def names(path: Path) -> dict[int, str]:
    """Numbers of the sorts of objects, and their names."""
    return {part.key: part.name for part in parts(path)}


def parts(path: Path) -> tuple[Part, ...]:
    """Every sort of object that has boxes; `picture` is the file that the picture had."""
    boxes, picture = _boxes(path)
    return tuple(Part(key=n, name=name, shape="boxes", picture=picture) for n, name in enumerate(boxes, 1))


def row(path: Path, file_id: str, source: int, site: str) -> AnnotationObject:
    """What is in the file; a file without boxes was looked at, too."""
    boxes, picture = _boxes(path)
    found = [Part(key=n, name=name, shape="boxes", picture=picture) for n, name in enumerate(boxes, 1)]
    return row_of("voc", found, file_id, source, site, looked_at=(picture,) if picture else ())


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted number: all boxes of that sort of object."""
    boxes, picture = _boxes(path, expected)
    found = dict(enumerate(boxes.values(), 1))
    return tuple(
        Annotation(
            id=annotation_id, concept=wanted[key], rater=rater, shape=found[key], on=picture, source="voc"
        )
        for key in sorted(set(wanted) & set(found))
    )


def _boxes(path: Path, expected: Signature | None = None) -> tuple[dict[str, PixelBoxes], str]:
    """Boxes by the name of what is in them, sorted, and the picture; the first pixel has the number 1, and the last is inside."""
    with parsing("the VOC file"):
        root = read_xml(path, "annotation", expected)
        size = root.find("size")
        pixels = None if size is None else (int(text_of(size, "width")), int(text_of(size, "height")))
        by_name: dict[str, list[list[float]]] = {}
        for found in root.iter("object"):
            box = found.find("bndbox")
            if box is None:
                raise FormatError("file/corrupt", "an object without a box")
            borders = [float(text_of(box, name)) for name in _BORDERS]
            left, upper, right, lower = borders[0] - 1, borders[1] - 1, borders[2], borders[3]
            if not (left < right and upper < lower and np.isfinite(borders).all()):
                raise FormatError("file/corrupt", "a box without a size")
            by_name.setdefault(text_of(found, "name"), []).append([left, upper, right, lower])
        picture = (root.findtext("filename") or "").strip()
    return {name: PixelBoxes(np.array(by_name[name]), pixels) for name in sorted(by_name)}, picture
