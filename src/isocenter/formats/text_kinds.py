"""Texts by what they say: tables, JSON of several kinds, markup, and the text formats of the field."""

from __future__ import annotations

import re

_BEGINNINGS = (
    (b"# Markups fiducial file", "slicer-markups"),
    (b"# Fiducial List file", "slicer-markups"),
    (b"# Annotation file", "slicer-markups"),
    (b"# Name =", "slicer-markups"),
    (b"#Insight Transform File", "transform"),
    (b"# vtk DataFile", "vtk"),
    (b"# === DATA DESCRIPTION FILE", "philips-par"),
    (b"##TITLE=", "bruker-parameters"),
    (b"!INTERFILE", "interfile"),
    (b"ObjectType =", "metaimage-object"),
)
_MARKUPS = re.compile(rb'"@schema"\s*:\s*"[^"]*markups-schema')
_DATA_SET = re.compile(rb'"(channel_names|numTraining|BIDSVersion|tensorImageSize)"\s*:|"training"\s*:\s*\[')
_DICOM_JSON = re.compile(rb'"[0-9A-Fa-f]{8}"\s*:\s*\{\s*"vr"')
_SIDECAR = re.compile(
    rb'"(Modality|MagneticFieldStrength|ManufacturersModelName|EchoTime|RepetitionTime|ConversionSoftware|'
    rb'ImageOrientationPatientDICOM|SeriesInstanceUID|KVP|TaskName)"\s*:'
)
_HTML = re.compile(rb"(<!--.*?-->\s*)*<(!doctype html|html|head|body|script)\b", re.IGNORECASE | re.DOTALL)
_COCO = re.compile(rb'"(images|annotations)"\s*:\s*\[\s*\{[^{}]*"(file_name|image_id)"\s*:')
_LIDC = re.compile(rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<LidcReadMessage\b", re.DOTALL)
_AIM = re.compile(rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(\w+:)?ImageAnnotation(Collection)?\b", re.DOTALL)
_VOC = re.compile(rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<annotation\b.*?<(object|size)>", re.DOTALL)
_SCENE = re.compile(rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<MRML\b", re.DOTALL)
_XML = {"html": _HTML, "slicer-scene": _SCENE, "lidc-xml": _LIDC, "aim": _AIM, "voc": _VOC}
_SEPARATORS = (b"\t", b",", b";")
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def decoded(head: bytes) -> bytes:
    """A text in UTF-16 as one in UTF-8; any other bytes as they are."""
    code = _BYTE_ORDER_MARKS.get(head[:2])
    if code is None:
        return head
    text = head[2 : 2 + (len(head) - 2) // 2 * 2].decode(code, "replace")
    return text.encode("utf-8", "replace")


def text_kind(head: bytes) -> str:
    """The kind of a text that begins like this: "table", "json", "xml", "text", ..."""
    body = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    first = body[:1]
    if first in {b"{", b"["}:
        return _json_kind(body)
    if first == b"<":
        return next((kind for kind, form in _XML.items() if form.match(body)), "xml")
    for beginning, kind in _BEGINNINGS:
        if body.startswith(beginning):
            return kind
    if body.startswith(b"solid ") and b"facet" in body:
        return "mesh"
    return "table" if _is_table(body) else "text"


def _json_kind(body: bytes) -> str:
    if _MARKUPS.search(body):
        return "slicer-markups"
    if _COCO.search(body):
        return "coco"
    if _DATA_SET.search(body):
        return "data-set-description"
    if _DICOM_JSON.search(body):
        return "dicom-json"
    return "image-sidecar" if len(set(_SIDECAR.findall(body))) > 1 else "json"


def _is_table(body: bytes) -> bool:
    """Whether the first lines have one number of separators, and more than none."""
    lines = [line for line in body.splitlines()[:-1] if line and not line.startswith(b"#")][:8]
    counts = ({line.count(separator) for line in lines} for separator in _SEPARATORS)
    return len(lines) > 1 and any(len(n) == 1 and min(n) > 0 for n in counts)
