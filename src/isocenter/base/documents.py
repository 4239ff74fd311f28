"""Documents that people write: YAML 1.2 read safely with line numbers, and CSV tables; the one door to ruamel.

Tables are read by `isocenter.base.delimited`; the name is offered here, where documents are looked for.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from isocenter.base.delimited import read_csv_rows
from isocenter.base.errors import ConfigError, ConfigProblem
from isocenter.base.files import write_text

__all__ = ["Document", "KeyPath", "parse_yaml", "read_csv_rows", "read_yaml", "write_yaml", "yaml_text"]

KeyPath: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1 << 20
MAX_DEPTH = 64

# The core schema of YAML 1.2.2, section 10.3.2: nothing but these is more than text.
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_PLAIN = re.compile(r"[A-Za-z_.][\w./-]*( [\w./-]+)*", re.ASCII)
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML file says, and the line on which each key or list item stands."""

    data: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    source: str = ""

    def line_of(self, path: KeyPath) -> int | None:
        """Line of a key, or of the nearest one above it that is in the file."""
        for end in range(len(path), 0, -1):
            if line := self.lines.get(path[:end]):
                return line
        return None


def read_yaml(path: Path) -> Document:
    """Read one YAML 1.2 file; anchors, aliases, tags, duplicate keys and deep nesting are refused.

    Raises:
        ConfigError: It cannot be read, or is not plain YAML; the line is told.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be read ({error.strerror or 'no such file'})") from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path.name}: is larger than {MAX_BYTES >> 20} MiB, which no config is")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([ConfigProblem("", "is not UTF-8 text", line)], path.name) from None
    return parse_yaml(text, path.name)


def parse_yaml(text: str, source: str = "") -> Document:
    r"""Parse YAML 1.2 text; dates, yes and no stay text, and no object is ever made.

    >>> parse_yaml("seed: 3\nsite: no").data
    {'seed': 3, 'site': 'no'}
    """
    try:
        builder = _Builder()
        for event in YAML(pure=True).parse(io.StringIO(text)):
            builder.take(event)
    except _RefusedError as refusal:
        raise ConfigError([ConfigProblem("", str(refusal), refusal.line)], source) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        message = f"is not YAML: {error.problem or error.context}"
        hint = "text that begins with one of { [ * & ! % @ or holds ': ' or ' #' needs quotes"
        raise ConfigError([ConfigProblem("", message, line, hint)], source) from None
    except YAMLError:
        raise ConfigError([ConfigProblem("", "holds characters that YAML does not allow")], source) from None
    return Document(builder.result, builder.lines, source)


def write_yaml(path: Path, data: Any) -> None:
    """Write plain data as block YAML in the given order of keys, atomically; same data, same bytes."""
    write_text(path, yaml_text(data))


def yaml_text(data: Any) -> str:
    """Plain data as block YAML in the given order of keys, with quotes around all that is no plain word."""
    yaml = YAML()
    yaml.allow_unicode = True
    yaml.width = 1 << 20  # a folded text would be harder to read and to compare
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(_quoted(data), out)
    return out.getvalue()


class _RefusedError(Exception):
    """Something that YAML allows and a config must not hold."""

    def __init__(self, message: str, event: Event) -> None:
        super().__init__(message)
        self.line = event.start_mark.line + 1


class _Builder:
    """Makes plain data of parser events, without recursion, noting the line of every key path."""

    def __init__(self) -> None:
        self.result: Any = None
        self.lines: dict[KeyPath, int] = {}
        self._open: list[Any] = []
        self._path: list[str | int] = []
        self._keys: list[Any] = []
        self._documents = 0

    def take(self, event: Event) -> None:
        """Take the next event of the parser."""
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _RefusedError("a second document begins (---); one is allowed", event)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._open.pop()
            self._keys.pop()
            self._path[len(self._open) :] = []
        elif isinstance(event, NodeEvent):
            self._node(event)

    def _node(self, event: NodeEvent) -> None:
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise _RefusedError(
                "anchors (&) and aliases (*) are not allowed; write the text in quotes", event
            )
        if getattr(event, "tag", None) is not None:
            raise _RefusedError("tags (!) are not allowed; write the text in quotes", event)
        value: Any
        if isinstance(event, ScalarEvent):
            value = _scalar(event)
        else:
            value = {} if isinstance(event, MappingStartEvent) else []
        self._put(value, event)
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            if len(self._open) == MAX_DEPTH:
                raise _RefusedError(f"is nested more than {MAX_DEPTH} levels deep", event)
            self._open.append(value)
            self._keys.append(_NO_KEY)

    def _put(self, value: Any, event: Event) -> None:
        if not self._open:
            self.result = value
            return
        parent = self._open[-1]
        if isinstance(parent, list):
            self._path[len(self._open) - 1 :] = [len(parent)]
            parent.append(value)
            self.lines[tuple(self._path)] = event.start_mark.line + 1
        elif self._keys[-1] is _NO_KEY:
            self._key(value, parent, event)
        else:
            parent[self._keys[-1]] = value
            self._keys[-1] = _NO_KEY

    def _key(self, key: Any, parent: dict[Any, Any], event: Event) -> None:
        if isinstance(key, dict | list):
            raise _RefusedError("a key must be a word, not a list or a set of keys", event)
        if key in parent:
            first = self.lines[(*self._path[: len(self._open) - 1], key)]
            raise _RefusedError(f"the key {key!r} stands twice, first on line {first}", event)
        self._keys[-1] = key
        self._path[len(self._open) - 1 :] = [key]
        self.lines[tuple(self._path)] = event.start_mark.line + 1


_NO_KEY = object()


def _quoted(data: Any) -> Any:
    """The same data with quotes around all text that is not a plain word."""
    if isinstance(data, dict):
        return {_quoted(k): _quoted(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_quoted(v) for v in data]
    if not isinstance(data, str) or (_PLAIN.fullmatch(data) and data not in _WORDS):
        return data
    return DoubleQuotedScalarString(data)


def _scalar(event: ScalarEvent) -> Any:
    text: str = event.value
    if event.style is not None and event.style not in {"", "plain"}:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > 40:
            raise _RefusedError("a number of more than 40 digits", event)
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return float(text.replace(".", "", 1)) if _SPECIAL.fullmatch(text) else text
