"""The page of the config: every key of cohort.yaml, from the option dataclasses."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args, get_origin

from isocenter.base.options import options_of
from isocenter.pipeline.config_cohort import CohortConfig
from scripts.reference.docstrings import markdown_of
from scripts.reference.options import options_table

_HEAD = """# cohort.yaml

One file says what a run does. `isocenter config init FOLDER` writes a commented one, `isocenter config check`
tells everything that is wrong with one, `isocenter config show` prints it with its defaults filled in, and
`isocenter config schema` writes a JSON schema for editors. Relative paths start at the folder of the file.
"""


def page() -> str:
    """The top level, then every group of keys in the order in which it is met."""
    parts = [_HEAD]
    for owner, place in groups().items():
        parts += [f"({owner.__name__.lower()})=", f"## {place or 'Top level'}", markdown_of(owner.__doc__)]
        parts.append(options_table(options_of(owner)))
    return "\n\n".join(parts)


def groups() -> dict[type, str]:
    """The config and every dataclass it is made of, each with the key it stands below."""
    found: dict[type, str] = {}
    pending: list[tuple[Any, str]] = [(CohortConfig, "")]
    while pending:
        hint, place = pending.pop(0)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            if hint not in found:
                found[hint] = place
                pending += [(o.type, f"{place}.{o.name}".lstrip(".")) for o in options_of(hint)]
        else:
            mark = {tuple: "[]", dict: ".*"}.get(get_origin(hint), "")
            pending += [(a, place + mark) for a in get_args(hint)]
    return found
