"""The page of the inventory: what `isocenter index --json` prints, and `Index.inventory` is."""

from __future__ import annotations

import dataclasses
from typing import get_args, get_type_hints

from isocenter.pipeline import inventory
from scripts.reference.docstrings import markdown_of, table

_HEAD = """# Inventory

`isocenter index PATH... --json` prints one document: `counts`, `workspace` (null where nothing is kept) and
`inventory`, which has the keys below; of a config it is the document of a run with `inventory` in it. From Python the
same is `iso.index(...).inventory`. With `--query` the document is a list of objects, one per row. What goes wrong is
the document `{"error": {"kind": ..., "message": ...}}`, with every command.
"""
_TYPES = {"int": "number", "str": "text"}


def page() -> str:
    """The inventory and what it is made of."""
    parts = [_HEAD]
    for owner in (
        inventory.Inventory,
        inventory.StateTally,
        inventory.Tallies,
        inventory.Tally,
        inventory.IssueTally,
    ):
        hints = get_type_hints(owner)
        rows: list[list[object]] = [[f"`{f.name}`", _type(hints[f.name])] for f in dataclasses.fields(owner)]
        parts += [f"## {owner.__name__}", markdown_of(owner.__doc__), table(["key", "type"], rows)]
    return "\n\n".join(parts)


def _type(hint: object) -> str:
    if items := get_args(hint):
        return f"list of {_type(items[0])}"
    name = getattr(hint, "__name__", str(hint))
    return _TYPES.get(name, f"[{name}](#{name.lower()})")
