"""What a command says: results on stdout as text or one JSON document, everything else on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from isocenter.base.digests import canonical_json

# Control characters, and the invisible ones that reorder or break lines: data must not steer a terminal.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def clean(text: object) -> str:
    """Text that is safe to print, whatever file it comes from; newlines and tabs stay."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", str(text).encode("utf-8", "replace").decode())


def show(document: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print a result on stdout: the document as JSON, or the lines."""
    if as_json:
        sys.stdout.write(json.dumps(json.loads(canonical_json(document)), indent=2) + "\n")
    else:
        for line in lines:
            sys.stdout.write(clean(line) + "\n")
    sys.stdout.flush()


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table on stdout, as wide as the terminal."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:  # into a file or a pipe: no line is broken
        console = Console(highlight=False, width=240)
    console.print(table)


def note(text: str) -> None:
    """Say something on stderr."""
    sys.stderr.write(clean(text) + "\n")
    sys.stderr.flush()


def from_here(path: Path) -> str:
    """A path as one would type it from the working folder."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()
