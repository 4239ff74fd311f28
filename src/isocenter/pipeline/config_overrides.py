"""Overrides of a config: environment variables such as ISOCENTER_SPLIT__STRATEGY, and flags before them."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isocenter.base.documents import Document, KeyPath, parse_yaml
from isocenter.base.errors import ConfigError
from isocenter.pipeline.config_cohort import CohortConfig
from isocenter.pipeline.config_draft import Draft, near

PREFIX = "ISOCENTER_"
_FIELDS = [f.name for f in dataclasses.fields(CohortConfig)]


def drafted(
    document: Document, folder: Path, overrides: Mapping[str, object], environment: Mapping[str, str]
) -> Draft:
    """The document's data with overrides put in: a flag wins over a variable, a variable over the file."""
    data = copy.deepcopy(document.data) if isinstance(document.data, dict) else {}
    draft = Draft(document, folder, data)
    if document.data is not None and not isinstance(document.data, dict):
        draft.wrong((), "a cohort must be a set of keys (key: value)")
    for name, words, value in _variables(draft, environment):
        _put(draft, words, value, name)
    for name, value in overrides.items():
        _put(draft, name.split("."), value, "a flag")
    return draft


def _variables(draft: Draft, environment: Mapping[str, str]) -> Iterator[tuple[str, list[str], Any]]:
    """Variables that name a key; others of ours (a test's, a cache's) hold no double underscore."""
    for name in sorted(n for n in environment if n.startswith(PREFIX)):
        words = name.removeprefix(PREFIX).lower().split("__")
        if words[0] in _FIELDS:
            try:
                yield name, words, parse_yaml(environment[name], name).data
            except ConfigError as error:
                draft.wrong((name,), error.problems[0].message, error.problems[0].hint)
        elif len(words) > 1:
            draft.wrong((name,), "names no key of a cohort", near(words[0], _FIELDS))


def _put(draft: Draft, words: list[str], value: Any, origin: str) -> None:
    """Set one key, making the sections above it; a number steps into a list."""
    parent: Any = draft.data
    path: KeyPath = ()
    for depth, word in enumerate(words):
        key = _key(parent, word)
        if key is None:
            draft.origins[*path, word] = origin
            draft.wrong((*path, word), "cannot be set here")
            return
        path = (*path, key)
        if depth == len(words) - 1:
            parent[key] = _from_here(path, value)
            draft.origins[path] = origin
        else:
            parent = _inside(parent, key)


def _inside(parent: Any, key: str | int) -> Any:
    """What stands at a key, or new keys where nothing that has any stands there."""
    there = parent.get(key) if isinstance(parent, dict) else parent[key]
    if not isinstance(there, dict | list):
        parent[key] = there = {}
    return there


def _key(parent: Any, word: str) -> str | int | None:
    """The key that a word means: a list's position, or a key that is there in any case, or the word."""
    if isinstance(parent, list):
        return int(word) if word.isdecimal() and int(word) < len(parent) else None
    return next((k for k in parent if str(k).lower() == word.lower()), word)


def _from_here(path: KeyPath, value: Any) -> Any:
    """Paths given by flag or variable start from the working folder, not from the config's."""
    is_path = path in {("workspace",), ("key",)} or (path[0] == "sources" and path[-1] == "path")
    return str(Path(value).absolute()) if is_path and isinstance(value, str) and value else value
