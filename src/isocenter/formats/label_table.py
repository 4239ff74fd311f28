"""Label tables: what the values of a label map stand for, as other programs write it beside the map.

JSON (value to name, name to value as nnU-Net has it, or a list of both), tables with a header (BIDS `dseg.tsv` with
`index` and `name`), ITK-SNAP label descriptions, colour tables of 3D Slicer (.ctbl) and FreeSurfer (LUT), and plain lines
of a value and a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from isocenter.base.delimited import read_csv_rows
from isocenter.base.errors import FormatError
from isocenter.formats.boundary import opening, parsing
from isocenter.model.annotation import Part

MAX_BYTES = 8 << 20
_MAX_VALUE = (1 << 31) - 1
# value, three colours, opacity, two marks of visibility, and the name in quotes (ITK-SNAP)
_SNAP = re.compile(r'(\d+)(?:\s+[\d.]+){6}\s+"([^"]*)"')
# value, name, three or four colours (FreeSurfer, 3D Slicer)
_COLOURS = re.compile(r'(\d+)\s+("[^"]+"|\S+)(?:\s+[\d.]+){3,4}')
_PLAIN = re.compile(r"(\d+)\s*[\s:=,;]\s*(\S.*)")
_VALUES = ("index", "value", "label_value", "labelvalue", "id", "no", "number", "label", "key")
_NAMES = ("name", "label_name", "labelname", "structure", "region", "description", "label", "abbreviation")
_CODES = ("code", "snomed", "mapping_code")


def read_label_table(path: Path) -> tuple[Part, ...]:
    """Values above 0 with their names, in the order of the values.

    Raises:
        FormatError: it is no such table, or gives one value two names.
    """
    with parsing("the label table"):
        with opening(path) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise FormatError("file/too-large", "a label table is too large", expected=f"{MAX_BYTES} bytes")
        text = data.decode("utf-8-sig")
        if text.lstrip()[:1] in {"{", "["}:
            found = list(_from_json(json.loads(text)))
        elif _is_delimited(text):
            found = list(_from_columns(path))
        else:
            found = list(_from_lines(text.splitlines()))
        return _parts(found)


def _parts(found: Iterable[tuple[int, str, str]]) -> tuple[Part, ...]:
    out: dict[int, Part] = {}
    for value, name, code in found:
        if not 0 <= value <= _MAX_VALUE:
            raise FormatError("file/corrupt", "a label table has a value that no mask has", measured=value)
        part = Part(key=value, name=name.strip(), code=code)
        if out.setdefault(value, part) != part:
            raise FormatError("file/corrupt", "a label table gives one value two names", measured=value)
    out.pop(0, None)  # the background, whatever it is called
    if not out:
        raise FormatError("file/unsupported", "a label table without a value that has a name")
    return tuple(out[value] for value in sorted(out))


def _is_delimited(text: str) -> bool:
    """Whether the first line names columns of values and of names."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    cells = [c.strip().strip('"').lower() for c in re.split(r"[\t,;]", first)]
    return len(cells) > 1 and bool(set(cells) & set(_VALUES)) and bool(set(cells) & set(_NAMES))


def _from_columns(path: Path) -> Iterator[tuple[int, str, str]]:
    header, rows = read_csv_rows(path)
    by_name = {name.lower(): name for name in header}
    value = next((by_name[n] for n in _VALUES if n in by_name), "")
    name = next((by_name[n] for n in _NAMES if n in by_name and by_name[n] != value), "")
    code = next((by_name[n] for n in _CODES if n in by_name), "")
    if not value or not name:
        raise FormatError("file/unsupported", "a label table without a column of values or of names")
    for row in rows:
        yield _whole(row[value]), row[name], row[code] if ":" in row.get(code, "") else ""


def _from_json(document: Any) -> Iterator[tuple[int, str, str]]:
    if isinstance(document, dict) and isinstance(document.get("labels"), dict | list):
        document = document["labels"]
    if isinstance(document, list):
        for item in document:
            value = next((item[k] for k in _VALUES if k in item and _is_whole(item[k])), None)
            name = next((item[k] for k in _NAMES if isinstance(item.get(k), str)), None)
            if value is None or name is None:
                raise FormatError("file/unsupported", "a label table without values or names")
            yield _whole(value), name, str(item.get("code", ""))
        return
    if not isinstance(document, dict):
        raise FormatError("file/unsupported", "a JSON file that is no label table")
    for key, item in document.items():
        if isinstance(item, dict) and isinstance(item.get("name"), str) and _is_whole(key):
            yield _whole(key), item["name"], str(item.get("code", ""))
        elif _is_whole(key) and isinstance(item, str):
            yield _whole(key), item, ""
        elif _is_whole(item):
            yield _whole(item), str(key), ""
        else:
            raise FormatError("file/unsupported", "a JSON file that is no label table")


def _from_lines(lines: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    for line in (raw.strip() for raw in lines):
        if not line or line.startswith(("#", "//")):
            continue
        found = _SNAP.fullmatch(line) or _COLOURS.fullmatch(line) or _PLAIN.fullmatch(line)
        if found is None:
            raise FormatError("file/unsupported", "a line of a label table without a value and a name")
        yield _whole(found[1]), found[2].strip('"'), ""


def _is_whole(value: Any) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number or (isinstance(value, str) and value.strip().isascii() and value.strip().isdigit())


def _whole(value: Any) -> int:
    text = str(value).strip()
    text = text.removesuffix(".0")
    if not (text.isascii() and text.isdigit()):
        raise FormatError("file/corrupt", "a value of a label table is no whole number")
    return int(text)
