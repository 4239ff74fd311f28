"""Declare an option once; its config key, its flag, its schema and its docs come from there."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One declared option: an annotated dataclass field or keyword-only parameter."""

    name: str
    type: Any
    default: Any
    help: str


def options_of(owner: type | Callable[..., Any]) -> list[Option]:
    """Options of a dataclass (its fields) or of a function (its keyword-only parameters)."""
    hints = get_type_hints(owner, include_extras=True)
    if isinstance(owner, type):
        pairs = [(f.name, _default(f)) for f in dataclasses.fields(owner)]
    else:
        parameters = inspect.signature(owner).parameters.values()
        pairs = [(p.name, p.default) for p in parameters if p.kind is p.KEYWORD_ONLY]
    out = []
    for name, default in pairs:
        hint = hints[name]
        plain, help_ = (*get_args(hint), "")[:2] if get_origin(hint) is Annotated else (hint, "")
        out.append(Option(name, plain, default, str(help_)))
    return out


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
