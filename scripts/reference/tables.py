"""The page of tables: what the Parquet files of a workspace and a store hold."""

from __future__ import annotations

import dataclasses
import re
from typing import get_type_hints

from isocenter.model import rows
from scripts.reference.docstrings import markdown_of, table
from scripts.reference.options import type_of

_LINK = re.compile(r"\[(?:a group|groups) of keys\]\(#\w+\)")
_HEAD = """# Tables

Stages hand typed tables to each other: Parquet files in the workspace, one row type each. They can be read
with any Parquet reader. Only those of `index/` hold identifiers; all others name things by pseudonym.
"""


def page() -> str:
    """Every row type, with its columns."""
    parts = [_HEAD]
    for row in row_types():
        hints = get_type_hints(row)
        columns: list[list[object]] = [
            [f"`{f.name}`", _LINK.sub("structures", type_of(hints[f.name]))] for f in dataclasses.fields(row)
        ]
        parts += [f"## {row.__name__}", markdown_of(row.__doc__), table(["column", "type"], columns)]
    return "\n\n".join(parts)


def row_types() -> list[type]:
    """The row dataclasses of the model, in the order of the module."""
    own = [v for n, v in vars(rows).items() if isinstance(v, type) and n in rows.__all__]
    return [v for v in own if dataclasses.is_dataclass(v) and not re.match("_", v.__name__)]
