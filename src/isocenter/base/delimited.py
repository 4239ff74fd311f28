"""Delimited tables (CSV, TSV) that people hand over, read row by row with every size bounded."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from isocenter.base.errors import FormatError

MAX_COLUMNS = 4096
MAX_LINE = 1 << 20


def read_csv_rows(path: Path) -> tuple[tuple[str, ...], Iterator[dict[str, str]]]:
    """Header and rows of a CSV or TSV file (also gzipped); fields are stripped of blanks at their ends.

    The separator is the tab in a .tsv file, else whichever of comma, semicolon and tab is most frequent in
    the header. Columns without a name become "column 3".

    Raises:
        FormatError: It is no such table; the rows may raise it too, as they are read one at a time.
    """
    with _opened(path) as file:
        header_line = next(_lines(file), "")
        separator = _separator(path, header_line)
    rows = _fields(path, separator)
    names = [n.strip() for n in next(rows, [])]
    if not any(names):
        raise FormatError("file/corrupt", "a table needs a header line")
    if len(names) > MAX_COLUMNS:
        raise FormatError("file/corrupt", f"a table of more than {MAX_COLUMNS} columns")
    header = tuple(n or f"column {i}" for i, n in enumerate(names, start=1))
    first: dict[str, int] = {}
    for place, name in enumerate(header, start=1):
        # by their places: where the header line is missing, their names are a patient's
        if first.setdefault(name, place) != place:
            raise FormatError("file/corrupt", f"columns {first[name]} and {place} of a table have one name")
    return header, _rows(header, rows)


def _rows(header: tuple[str, ...], rows: Iterator[list[str]]) -> Iterator[dict[str, str]]:
    for number, row in enumerate(rows, start=2):
        values = [v.strip() for v in row]
        if any(values[len(header) :]):
            raise FormatError("file/corrupt", f"row {number} of a table has more fields than its header")
        if any(values):
            yield dict(zip(header, values + [""] * (len(header) - len(values)), strict=False))


def _fields(path: Path, separator: str) -> Iterator[list[str]]:
    with _opened(path) as file:
        try:
            yield from csv.reader(_lines(file), delimiter=separator, strict=True)
        except csv.Error:
            raise FormatError("file/corrupt", "a quoted field of a table does not end") from None


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    is_gzipped = path.suffix.lower() == ".gz"
    try:
        with (
            path.open("rb") as stored,
            gzip.GzipFile(fileobj=stored) if is_gzipped else nullcontext(stored) as raw,
            io.TextIOWrapper(cast("BinaryIO", raw), encoding="utf-8-sig", newline="") as file,
        ):
            yield file
    except UnicodeDecodeError:
        raise FormatError("file/corrupt", "a table is not UTF-8 text; save it again as CSV UTF-8") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise FormatError("file/truncated", "a gzipped table is damaged") from None
    except OSError as error:
        raise FormatError("file/unreadable", f"a table cannot be opened ({error.strerror})") from None


def _lines(file: TextIO) -> Iterator[str]:
    """Lines of bounded length, so that a file of one endless line cannot fill the memory."""
    while line := file.readline(MAX_LINE):
        if len(line) >= MAX_LINE:
            raise FormatError("file/corrupt", "a line of a table is longer than 1 MiB")
        if "\0" in line:
            raise FormatError("file/corrupt", "a table holds NUL; save it again as CSV UTF-8")
        yield line


def _separator(path: Path, header: str) -> str:
    if ".tsv" in path.suffixes[-2:]:
        return "\t"
    return max(",;\t", key=header.count)
