"""COCO JSON: boxes on many pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import opening, parsing
from isocenter.formats.drawings import row_of
from isocenter.imaging.pixel_shapes import PixelBoxes
from isocenter.model.annotation import Annotation, Part
from isocenter.model.rows import AnnotationObject

SHAPES = ("boxes",)
MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, eq=False)
class _Boxes:
    """All boxes of one category on one picture."""

    name: str
    picture: str
    shape: PixelBoxes


def names(path: Path) -> dict[int, str]:
    """Numbers of pairs of a picture and a category, and the names of the categories."""
    return {part.key: part.name for part in parts(path)}


def parts(path: Path) -> tuple[Part, ...]:
    """Every pair of a picture and a category that has boxes; `picture` is the file of the picture."""
    return _parts(_boxes(path)[0])


def row(path: Path, file_id: str, source: int, site: str) -> AnnotationObject:
    """What is in the file, and all pictures that it lists: those without boxes were looked at, too."""
    boxes, pictures = _boxes(path)
    return row_of("coco", _parts(boxes), file_id, source, site, looked_at=pictures)


def _parts(boxes: list[_Boxes]) -> tuple[Part, ...]:
    return tuple(
        Part(key=n, name=one.name, shape="boxes", picture=one.picture) for n, one in enumerate(boxes, 1)
    )


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted number; `on` is the file of the picture."""
    found = dict(enumerate(_boxes(path, expected)[0], 1))
    return tuple(
        Annotation(
            id=annotation_id,
            concept=wanted[key],
            rater=rater,
            shape=found[key].shape,
            on=found[key].picture,
            source="coco",
        )
        for key in sorted(set(wanted) & set(found))
    )


def _boxes(path: Path, expected: Signature | None = None) -> tuple[list[_Boxes], tuple[str, ...]]:
    """Boxes: pictures in the order of their files, categories in that of their names; and all pictures."""
    with parsing("the COCO file"):
        with opening(path, expected) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise FormatError("file/too-large", "a COCO file is too large", expected=f"{MAX_BYTES} bytes")
        document = json.loads(data)
        if not isinstance(document, dict) or not {"images", "annotations", "categories"} <= set(document):
            raise FormatError("file/unsupported", "a JSON file that is no COCO file")
        pictures = _by_id(document["images"])
        categories = _by_id(document["categories"])
        groups: dict[tuple[str, str, int], list[list[float]]] = {}
        for one in document["annotations"]:
            picture, category = pictures[one["image_id"]], categories[one["category_id"]]
            key = (str(picture["file_name"]), str(category["name"]), one["image_id"])
            groups.setdefault(key, []).append(_box(one["bbox"]))
        boxes = [
            _Boxes(name, file, PixelBoxes(np.array(boxes), _size(pictures[number])))
            for (file, name, number), boxes in sorted(groups.items())
        ]
        return boxes, tuple(sorted({str(p["file_name"]) for p in pictures.values()}))


def _by_id(rows: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    out = {row["id"]: row for row in rows}
    if len(out) < len(rows):
        raise FormatError("file/corrupt", "two pictures or categories have one number")
    return out


def _size(picture: dict[str, Any]) -> tuple[int, int] | None:
    known = "width" in picture and "height" in picture
    return (int(picture["width"]), int(picture["height"])) if known else None


def _box(values: list[float]) -> list[float]:
    """Left, upper, right and lower border, from left, upper, width and height."""
    left, upper, width, height = map(float, values)
    if not (np.isfinite([left, upper, width, height]).all() and width > 0 and height > 0):
        raise FormatError("file/corrupt", "a box without a size")
    return [left, upper, left + width, upper + height]
