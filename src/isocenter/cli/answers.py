"""Prints the answer to a query: an aligned table, or one JSON list, a few thousand rows in memory at once."""

from __future__ import annotations

import datetime as dt
import json
import math
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from rich.cells import cell_len

from isocenter.base.questions import Answer
from isocenter.cli.console import clean, note

_ROWS_MEASURED = 1000
_BYTES_HELD = 16 << 20
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """Print an answer on stdout, and on stderr how many rows it has."""
    if as_json:
        _print_json(answer)
        return
    count = -2  # the names and the rule are no rows
    for line in lines_of(answer):
        sys.stdout.write(line + "\n")
        count += 1
    sys.stdout.flush()
    note(f"{count:,} row{'' if count == 1 else 's'}")


def lines_of(answer: Answer) -> Iterator[str]:
    """An answer as lines: names, a rule, rows; columns are as wide as the first rows need."""
    is_number = [t.removeprefix("U").startswith(_NUMBERS) and not t.endswith("]") for t in answer.types]
    names = [_cell(name) for name in answer.columns]
    rows = ([_cell(value) for value in row] for row in answer.rows)
    first = list(islice(rows, _ROWS_MEASURED))
    widths = [max(map(cell_len, column)) for column in zip(names, *first, strict=True)]
    yield _line(names, widths, is_number)
    yield "  ".join("-" * width for width in widths)
    for row in chain(first, rows):
        yield _line(row, widths, is_number)


def _line(cells: Sequence[str], widths: Sequence[int], is_number: Iterable[bool]) -> str:
    out = []
    for cell, width, right in zip(cells, widths, is_number, strict=True):
        space = " " * (width - cell_len(cell))
        out.append(space + cell if right else cell + space)
    return "  ".join(out).rstrip()


def _cell(value: Any) -> str:
    """A value on one line; nothing in it can steer the terminal."""
    plain = plain_of(value)
    if plain is None:
        return "NULL" if value is None else str(value)
    text = json.dumps(plain, ensure_ascii=False) if isinstance(plain, list | dict | bool) else str(plain)
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def _print_json(answer: Answer) -> None:
    """One JSON list of objects; nothing is printed before all rows are there, as a later one may be an error."""
    with tempfile.SpooledTemporaryFile(_BYTES_HELD, "w+", encoding="ascii") as held:
        between = "["
        for row in answer.rows:
            record = dict(zip(answer.columns, map(plain_of, row), strict=True))
            held.write(f"{between}\n  {json.dumps(record)}")
            between = ","
        held.write("\n]\n" if between == "," else "[]\n")
        held.seek(0)
        shutil.copyfileobj(held, sys.stdout)
    sys.stdout.flush()


def plain_of(value: Any) -> Any:
    """A value as JSON has it: dates and the like as text, numbers that are none as null."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [plain_of(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain_of(v) for k, v in value.items()}
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)
