"""Option tables: name, type, default and meaning of every declared option."""

from __future__ import annotations

import dataclasses
import enum
import types
from typing import Any, Union, get_args, get_origin

from isocenter.base.options import Option
from scripts.reference.docstrings import table


def options_table(options: list[Option]) -> str:
    """The options as a table; one that must be given has no default."""
    rows: list[list[object]] = [
        [f"`{o.name}`", type_of(o.type), default_of(o.default), o.help] for o in options
    ]
    return table(["key", "type", "default", "meaning"], rows)


def type_of(hint: Any) -> str:
    """A type as a reader of YAML would name it; a group of keys is a link to where they are listed."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if a is type(None) else type_of(a) for a in args)
    if origin is tuple:
        return f"list of {_many(args[0])}"
    if origin is dict:
        return f"map of {type_of(args[0])} to {_many(args[1])}"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return ", ".join(f"`{m.value}`" for m in hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return f"[a group of keys](#{hint.__name__.lower()})"
    names = {str: "text", int: "integer", float: "number", bool: "true or false", Any: "any"}
    return names.get(hint, str(hint))


def _many(hint: Any) -> str:
    """The type of the members of a list or map."""
    return type_of(hint).replace("a group", "groups", 1)


def default_of(value: Any) -> str:
    """A default as it would be written in YAML."""
    if value is dataclasses.MISSING:
        return "must be given"
    if dataclasses.is_dataclass(value):
        return "its own defaults"
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None:
        return "`null`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value in ("", (), {}):
        return "empty"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    if isinstance(value, dict):
        return "`{" + ", ".join(f"{k}: {v}" for k, v in value.items()) + "}`"
    return f"`{value}`"
