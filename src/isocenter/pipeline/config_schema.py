"""The door to pydantic: validates plain data against the option dataclasses, and makes their JSON schema."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from isocenter.base.documents import Document, KeyPath
from isocenter.base.errors import ConfigError
from isocenter.base.options import options_of
from isocenter.pipeline.config_cohort import CohortConfig
from isocenter.pipeline.config_draft import Draft, near

_FORBID = "__pydantic_config__"
_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    types.NoneType: "null",
}


def validate(draft: Draft) -> None:
    """Put every valid value of the draft's data into its `values`, and note every one that is not."""
    options = options_of(CohortConfig)
    names = [o.name for o in options]
    for key in sorted(set(draft.data) - set(names), key=str):
        draft.wrong((key,), "is not a key of a cohort", near(str(key), names))
    for option in options:
        path, hint, given = (option.name,), option.type, draft.data.get(option.name)
        item = _item_of(hint)
        if given is None and option.default is dataclasses.MISSING:
            draft.wrong(path, f"is required: {option.help}")
        elif given is None:
            draft.values[option.name] = {} if item else option.default
        elif item is None:
            if (value := _unit(draft, hint, given, path)) is not None:
                draft.values[option.name] = value
        elif isinstance(given, list if get_origin(hint) is tuple else dict):
            pairs = enumerate(given) if isinstance(given, list) else given.items()
            units = {k: _unit(draft, item, {} if v is None else v, (*path, k)) for k, v in pairs}
            draft.values[option.name] = {k: v for k, v in units.items() if v is not None}
        else:
            draft.wrong(path, f"must be {expected(hint)}")


def schema() -> dict[str, Any]:
    """JSON schema of cohort.yaml for editors; the help texts are its descriptions."""
    out = _adapter(CohortConfig).json_schema()
    definitions = {"CohortConfig": out, **out.get("$defs", {})}
    for owner in _dataclasses(CohortConfig):
        properties = definitions[owner.__name__]["properties"]
        definitions[owner.__name__]["description"] = (owner.__doc__ or "").partition("\n")[0]
        for option in options_of(owner):
            properties[option.name]["description"] = option.help
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **out}


def checked(hint: Any, given: Any, name: str) -> Any:
    """One value that stands in no config, validated as it would be there.

    Raises:
        ConfigError: it is wrong; every problem is told, each below the name.
    """
    draft = Draft(Document(given), Path(), {})
    value = _unit(draft, hint, given, (name,))
    if draft.problems:
        raise ConfigError(draft.problems)
    return value


def misfit(hint: Any, value: object) -> str:
    """What a value must be to be of a type, or "" where it is."""
    try:
        _adapter(hint).validate_python(value)
    except (ValidationError, PydanticUserError):
        return f"must be {expected(hint)}"
    return ""


def expected(hint: Any) -> str:
    """A type in plain words, e.g. `a list of texts`."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return expected(args[0])
    if origin in (Union, types.UnionType):
        return " or ".join(expected(a) for a in args)
    if origin is tuple:
        return "a list" + {str: " of texts", float: " of numbers", int: " of whole numbers"}.get(args[0], "")
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "one of " + ", ".join(str(m.value) for m in hint)
    return _WORDS.get(hint, "a set of keys (key: value)")


def _item_of(hint: Any) -> Any:
    """The dataclass that a top-level list or map holds, else None."""
    args = [a for a in get_args(hint) if dataclasses.is_dataclass(a)]
    return args[0] if args else None


def _unit(draft: Draft, hint: Any, given: Any, path: KeyPath) -> Any:
    """One validated value, or None; wrong keys are taken out and the rest tried again, so that all is told."""
    given, told = _without_blanks(hint, given), set[KeyPath]()
    while True:
        try:
            return _adapter(hint).validate_python(given)
        except ValidationError as error:
            keys = set[KeyPath]()
            for found in error.errors(include_url=False, include_input=False):
                place, message, remedy = _told(hint, given, cast("dict[str, Any]", found))
                if not any(place[: len(t)] == t for t in told):
                    draft.wrong((*path, *place), message, remedy)
                    told.add(place)
                keys.add(_key_on_the_way(given, place))
            if () in keys:
                return None
            for key in keys:
                _at(given, key[:-1]).pop(key[-1], None)


def _told(hint: Any, given: Any, found: dict[str, Any]) -> tuple[KeyPath, str, str]:
    """The key path of one of pydantic's errors, its message in our words, and a hint."""
    place = _place(given, found["loc"])
    kind = found["type"]
    here = _hint_at(hint, place)
    if kind == "missing":
        help_ = next(o.help for o in options_of(here) if o.name == found["loc"][-1])
        return (*place, found["loc"][-1]), f"is required: {help_}", ""
    if kind in {"unexpected_keyword_argument", "extra_forbidden"}:
        parent = _hint_at(hint, place[:-1])
        known = [o.name for o in options_of(parent)]
        return place, "is not a key here", near(str(place[-1]), known) or f"known: {', '.join(known)}"
    if kind == "value_error":
        message = str(found["ctx"]["error"])
        field = _field_of(here, message)
        return (*place, *field), message.removeprefix(f"{field[0]} ") if field else message, ""
    value = _at(given, place)
    names = [str(m.value) for m in here] if isinstance(here, type) and issubclass(here, enum.Enum) else []
    return place, f"must be {expected(here)}", near(str(value), names) or _remedy(here, value)


def _remedy(here: Any, value: object) -> str:
    if here is str and isinstance(value, int | float):
        return f'put it in quotes: "{value}"'
    return f'write it as ["{value}"]' if get_origin(here) is tuple and isinstance(value, str) else ""


def _field_of(owner: Any, message: str) -> KeyPath:
    """The field that a message of a dataclass's own check begins with."""
    first = message.partition(" ")[0]
    return (first,) if dataclasses.is_dataclass(owner) and first in getattr(owner, "__slots__", ()) else ()


def _place(given: Any, location: tuple[Any, ...]) -> KeyPath:
    """A location of pydantic's without the names of types that it puts in between."""
    out: list[str | int] = []
    for piece in location:
        is_here = (
            piece in given if isinstance(given, dict) else isinstance(given, list) and isinstance(piece, int)
        )
        if not is_here:
            break
        out.append(piece)
        given = given[piece]
    return tuple(out)


def _at(given: Any, place: KeyPath) -> Any:
    return functools.reduce(lambda data, piece: data[piece], place, given)


def _key_on_the_way(given: Any, place: KeyPath) -> KeyPath:
    """The deepest key on the way to a wrong value that can be taken out; () where there is none."""
    for end in range(len(place), 0, -1):
        with contextlib.suppress(LookupError):
            parent = _at(given, place[: end - 1])
            if isinstance(parent, dict) and place[end - 1] in parent:
                return place[:end]
    return ()


def _without_blanks(hint: Any, given: Any) -> Any:
    """A copy without keys that were left empty, where null is no value of theirs; their default holds."""
    if isinstance(given, list):
        item = next(iter(get_args(hint)), None)
        return [_without_blanks(item, v) for v in given]
    if not isinstance(given, dict):
        return given
    if not dataclasses.is_dataclass(hint):
        value = (get_args(hint) or (None, None))[-1]
        return {k: _without_blanks(value, v) for k, v in given.items()}
    hints = {o.name: o.type for o in options_of(cast("type", hint))}
    kept = {k: v for k, v in given.items() if v is not None or types.NoneType in get_args(hints.get(k))}
    return {k: _without_blanks(hints.get(k), v) for k, v in kept.items()}


def _hint_at(hint: Any, place: KeyPath) -> Any:
    for piece in place:
        if get_origin(hint) in (Union, types.UnionType):
            hint = next((a for a in get_args(hint) if get_args(a)), hint)
        if dataclasses.is_dataclass(hint):
            hint = {o.name: o.type for o in options_of(cast("type", hint))}.get(str(piece), object)
        elif args := get_args(hint):
            hint = args[0] if get_origin(hint) is tuple else args[-1]
    return hint


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    for owner in _dataclasses(hint):
        setattr(owner, _FORBID, ConfigDict(extra="forbid"))
    return TypeAdapter(hint)


def _dataclasses(hint: Any) -> Iterator[type]:
    """Every dataclass that a type is made of, itself first."""
    if dataclasses.is_dataclass(hint):
        yield cast("type", hint)
        for inner in get_type_hints(hint).values():
            yield from _dataclasses(inner)
    for inner in get_args(hint):
        yield from _dataclasses(inner)
