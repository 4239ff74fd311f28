"""Turns a docstring of the house (Google headings, doctests) into Markdown."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

_HEADING = re.compile(r"([A-Z][\w ]+):")
_ITEM = re.compile(r"(\w+): (.*)")
_LISTS = {"Args", "Raises"}


def markdown_of(docstring: str | None) -> str:
    """The whole docstring as Markdown: headings in bold, arguments as a list, examples and drawings as code."""
    return "\n\n".join(_blocks(inspect.cleandoc(docstring or "").splitlines()))


def summary_of(docstring: str | None) -> str:
    """The first sentence of a docstring, on one line."""
    return " ".join(inspect.cleandoc(docstring or "").partition("\n\n")[0].split())


def cell(text: object) -> str:
    """A text as it may stand in a table cell."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(heads: list[str], rows: list[list[object]]) -> str:
    """A Markdown table."""
    lines: list[list[object]] = [[*heads], ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell(c) for c in line) + " |" for line in lines)


def _blocks(lines: list[str]) -> Iterator[str]:
    """Paragraphs, headings and literal blocks, in order."""
    position = 0
    while position < len(lines):
        line = lines[position]
        heading = _HEADING.fullmatch(line)
        is_literal = line.endswith("::")
        if heading or is_literal:
            inside, position = _indented(lines, position + 1)
            if heading:
                yield f"**{heading[1]}**"
                yield _section(heading[1], inside)
            else:
                yield from filter(None, [line.removesuffix("::")])
                yield _fence("text", inside)
        elif line.startswith(">>>"):
            inside, position = _until_blank(lines, position)
            yield _fence("pycon", inside)
        elif line.strip():
            inside, position = _until_blank(lines, position)
            yield "\n".join(inside)
        else:
            position += 1


def _section(heading: str, lines: list[str]) -> str:
    if heading in _LISTS:
        return _items(lines)
    if any(line.startswith(">>>") for line in lines):
        return _fence("pycon", lines)
    return "\n\n".join(_blocks(lines))


def _items(lines: list[str]) -> str:
    out: list[str] = []
    for line in lines:
        if item := _ITEM.fullmatch(line):
            out.append(f"* `{item[1]}`: {item[2]}")
        elif line.strip():
            out.append(f"  {line.strip()}")
    return "\n".join(out)


def _indented(lines: list[str], start: int) -> tuple[list[str], int]:
    end = start
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith(" ")):
        end += 1
    return textwrap.dedent("\n".join(lines[start:end])).strip("\n").splitlines(), end


def _until_blank(lines: list[str], start: int) -> tuple[list[str], int]:
    end = start
    while end < len(lines) and lines[end].strip() and not (end > start and _HEADING.fullmatch(lines[end])):
        end += 1
    return lines[start:end], end


def _fence(language: str, lines: list[str]) -> str:
    return "\n".join([f"```{language}", *lines, "```"])
