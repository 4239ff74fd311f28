"""Foreign documents: transforms that a JSON or YAML text names, as MONAI bundles, Hydra and others write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from isocenter.augment.foreign_python import in_python
from isocenter.augment.steps import Step, Unread
from isocenter.base.documents import Document, KeyPath
from isocenter.base.errors import ConfigError

# Keys under which configurations of MONAI bundles, Hydra and others name a class.
_NAME_KEYS = ("_target_", "name", "class", "class_path", "transform", "type")
# Keys under which they may keep its arguments; they may as well stand beside the name.
_ARGUMENT_KEYS = ("init_args", "args", "_args_", "kwargs", "params", "parameters")
_REFERENCE = re.compile(r"@[\w#:.]+")


def in_document(document: Document) -> Iterator[Step]:
    """All that may be a transform in a document."""
    todo: list[tuple[KeyPath, Any]] = [((), document.data)]
    while todo:
        path, data = todo.pop()
        if isinstance(data, Mapping):
            yield from _named(document, path, data)
            todo += [((*path, key), v) for key, v in data.items() if not _is_name(key, v)]
        elif isinstance(data, list):
            todo += [((*path, n), value) for n, value in enumerate(data)]
        elif isinstance(data, str):
            yield from _said(data, document.line_of(path) or 1)


def _is_name(key: Any, value: Any) -> bool:
    return key in _NAME_KEYS and isinstance(value, str) and not value.startswith("$")


def _named(document: Document, path: KeyPath, data: Mapping[str, Any]) -> Iterator[Step]:
    """The transform that a mapping stands for: by a key that names it, or as the key of its arguments."""
    for key in data:
        if _is_name(key, data[key]):
            yield _step(str(data[key]), document.line_of((*path, key)) or 1, data)
    for key, value in data.items():
        if str(key).rpartition(".")[2][:1].isupper():
            line = document.line_of((*path, key)) or 1
            if isinstance(value, Mapping | None):
                yield _step(str(key), line, value or {})
            else:
                yield replace(_step(str(key), line, {}), is_called=False)


def _step(text: str, line: int, data: Mapping[str, Any]) -> Step:
    """A named transform with arguments that stand beside its name, in a mapping or a list of their own."""
    origin, _, name = text.rpartition(".")
    arguments, places, unread = _plain(data), tuple[Any, ...](), []
    for key in _ARGUMENT_KEYS:
        inner = _read(data.get(key))
        if isinstance(inner, Mapping):
            arguments |= _plain(inner)
        elif isinstance(inner, tuple):
            places += inner
        elif inner is not None:
            unread.append(f"{key}={inner}")
    return Step(name=name, line=line, arguments=arguments, places=places, unread=tuple(unread), origin=origin)


def _said(text: str, line: int) -> Iterator[Step]:
    """What a text among others says: the name of a transform, or an expression of Python."""
    if not text.startswith("$"):
        origin, _, name = text.rpartition(".")
        if name.isidentifier():
            yield Step(name=name, line=line, origin=origin or "here", is_called=False)
        return
    try:
        found = list(in_python(_REFERENCE.sub("unread", text[1:]), ""))
    except ConfigError:
        return
    for step in found:
        yield replace(step, line=line, origin="")  # imports are elsewhere


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {str(k): _read(v) for k, v in arguments.items() if k not in _NAME_KEYS and k not in _ARGUMENT_KEYS}


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_read(v) for v in value)
    # MONAI bundles: a text that begins so is code, or points to elsewhere
    return Unread(value) if isinstance(value, str) and value[:1] in {"$", "@", "%"} else value
