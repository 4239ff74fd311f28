"""LIDC XML: nodules that up to four readers outlined, and what they took for none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.drawings import row_of
from isocenter.formats.xml_file import read_xml, text_of
from isocenter.imaging.pixel_shapes import AxialOutlines, AxialPoints, Outline
from isocenter.model.annotation import Annotation, AnnotationState, Part
from isocenter.model.rows import AnnotationObject

SHAPES = ("contours", "points")
NODULE, SMALL, NON_NODULE = "nodule", "nodule under 3 mm", "non-nodule"
_SOUGHT = {NODULE: "contours", SMALL: "points", NON_NODULE: "points"}


@dataclass(frozen=True, slots=True, eq=False)
class _Marked:
    """One thing that one reader marked, or looked for and did not find."""

    name: str
    id: str
    reader: str
    shape: AxialOutlines | AxialPoints | None


def names(path: Path) -> dict[int, str]:
    """Numbers in the order of the file; the names say nodule, nodule under 3 mm, or non-nodule."""
    return {part.key: part.name for part in parts(path)}


def parts(path: Path) -> tuple[Part, ...]:
    """What each reader marked, or looked for; the readers are those of the file, by number: nobody knows who is who."""
    return _parts(_marked(path))


def row(path: Path, file_id: str, source: int, site: str) -> AnnotationObject:
    """What is in the file; its readers are told apart, and are not those of any other file."""
    with parsing("the LIDC file"):
        root = read_xml(path, "LidcReadMessage")
        parts = _parts(_all_of(root))
        series = {(e.text or "").strip() for e in root.iter("SeriesInstanceUid")} - {""}
        images = {(e.text or "").strip() for e in root.iter("imageSOP_UID")} - {""}
    return row_of(
        "lidc-xml",
        parts,
        file_id,
        source,
        site,
        referenced_series_uids=tuple(sorted(series)),
        referenced_instance_uids=tuple(sorted(images)),
        raters=tuple(f"{file_id} {p.rater}" for p in parts),
    )


def _parts(found: list[_Marked]) -> tuple[Part, ...]:
    return tuple(
        Part(key=n, name=one.name, id=one.id, rater=one.reader, shape=_SOUGHT[one.name])
        for n, one in enumerate(found, 1)
    )


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted number, of the reader of the file where no rater is given."""
    found = dict(enumerate(_marked(path, expected), 1))
    return tuple(
        Annotation(
            id=annotation_id,
            concept=wanted[key],
            rater=rater or found[key].reader,
            state=AnnotationState.ABSENT if found[key].shape is None else AnnotationState.MARKED,
            shape=found[key].shape,
            source="lidc-xml",
        )
        for key in sorted(set(wanted) & set(found))
    )


def _marked(path: Path, expected: Signature | None = None) -> list[_Marked]:
    with parsing("the LIDC file"):
        return _all_of(read_xml(path, "LidcReadMessage", expected))


def _all_of(root: ET.Element) -> list[_Marked]:
    """What all readers marked; every reader looked for everything, so that what is not there is absent."""
    out: list[_Marked] = []
    for n, session in enumerate(root.iter("readingSession"), 1):
        marked = list(_of_reader(session, f"reader {n}"))
        missing = [name for name in _SOUGHT if name not in {one.name for one in marked}]
        out += [*marked, *(_Marked(name, "", f"reader {n}", None) for name in missing)]
    return out


def _of_reader(session: ET.Element, reader: str) -> Iterator[_Marked]:
    for nodule in session.iter("unblindedReadNodule"):
        outlines = [_outline(roi) for roi in nodule.iter("roi")]
        if not outlines:
            raise FormatError("file/corrupt", "a nodule without an outline")
        identifier = text_of(nodule, "noduleID")
        if max(len(one.pixels) for one in outlines) > 1:
            yield _Marked(NODULE, identifier, reader, AxialOutlines(tuple(outlines)))
        else:
            pixels = np.concatenate([one.pixels for one in outlines])
            yield _Marked(SMALL, identifier, reader, AxialPoints(tuple(o.z_mm for o in outlines), pixels))
    for other in session.iter("nonNodule"):
        pixels = np.concatenate([_pixel(locus) for locus in other.iter("locus")])
        height = _height(other)
        shape = AxialPoints((height,) * len(pixels), pixels)
        yield _Marked(NON_NODULE, text_of(other, "nonNoduleID"), reader, shape)


def _outline(roi: ET.Element) -> Outline:
    pixels = np.concatenate([_pixel(edge) for edge in roi.iter("edgeMap")])
    inclusion = text_of(roi, "inclusion").upper()
    if inclusion not in {"TRUE", "FALSE"}:
        raise FormatError("file/corrupt", "an outline that neither includes nor excludes")
    return Outline(_height(roi), pixels, is_hole=inclusion == "FALSE")


def _height(element: ET.Element) -> float:
    height = float(text_of(element, "imageZposition"))
    if not np.isfinite(height):
        raise FormatError("file/corrupt", "a slice that is nowhere")
    return height


def _pixel(element: ET.Element) -> NDArray[np.int64]:
    return np.array([[int(text_of(element, "xCoord")), int(text_of(element, "yCoord"))]], dtype=np.int64)
