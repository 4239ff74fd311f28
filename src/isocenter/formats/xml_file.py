"""XML files of annotations: parsed only if they are small and define no entities, which may stand for anything."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import opening

MAX_BYTES = 64 << 20


def read_xml(path: Path, root: str | tuple[str, ...], expected: Signature | None = None) -> ET.Element:
    """The root of an XML file, with its namespaces taken off all names.

    Args:
        path: The file.
        root: Name that the root must have, or names of which it must have one.
        expected: What the file was when it was indexed.
    """
    with opening(path, expected) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FormatError("file/too-large", "an XML file is too large", expected=f"{MAX_BYTES} bytes")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise FormatError("file/unsupported", "an XML file with definitions of its own, or in UTF-16")
    try:
        out = ET.fromstring(data)  # noqa: S314 - without definitions there is nothing to expand
    except ET.ParseError:
        raise FormatError("file/corrupt", "an XML file that does not end, or is broken") from None
    for element in out.iter():
        element.tag = element.tag.rpartition("}")[2]
    if out.tag not in ((root,) if isinstance(root, str) else root):
        raise FormatError("file/unsupported", "an XML file of another kind")
    return out


def text_of(element: ET.Element, name: str) -> str:
    """The stripped text of a child.

    Raises:
        FormatError: there is none.
    """
    text = (element.findtext(name) or "").strip()
    if not text:
        raise FormatError("file/corrupt", "an XML file lacks an element that it needs")
    return text
