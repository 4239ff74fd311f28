"""Blocks: what a section of the report is made of; the page template alone turns them into HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph."""

    kind: ClassVar[str] = "prose"
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that must not be missed; `tone` is "good", "info", "warn" or "bad"."""

    kind: ClassVar[str] = "notice"
    text: str
    tone: str = "info"


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list; `term` is a name of ours (a rule, a command) that stands before the text."""

    text: str
    term: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    kind: ClassVar[str] = "items"
    entries: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to copy."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One number that sums up a lot, with its noun and a remark."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tiles:
    """A row of numbers."""

    kind: ClassVar[str] = "tiles"
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a whole; `tone` is "used", "held", "excluded", "ignored" or "lost"."""

    label: str
    count: int
    tone: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole and its parts: a bar with its legend, both with the counts."""

    kind: ClassVar[str] = "whole"
    caption: str
    unit: str
    pieces: tuple[Piece, ...]

    @property
    def total(self) -> int:
        """The sum of the parts."""
        return sum(p.count for p in self.pieces)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a title with its unit, and whether it holds numbers (right-aligned) or ids (monospaced)."""

    title: str
    is_number: bool = False
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with more than text: `fraction` (0 to 1) draws a bar behind it, `is_quiet` says it is no value."""

    text: str
    fraction: float | None = None
    is_quiet: bool = False
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first column heads its rows."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | str, ...], ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """An SVG of ours: its markup is made by `charts` and `diagram`, which escape what they are given."""

    kind: ClassVar[str] = "drawing"
    svg: Markup
    caption: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Drawings:
    """Drawings side by side, as many as the page is wide."""

    kind: ClassVar[str] = "drawings"
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True, slots=True)
class Plane:
    """One picture of a case: a PNG, outlines on top of it, and its proportions on the page."""

    name: str
    alt: str
    source: Markup
    outlines: Markup
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True)
class Outlined:
    """A label of a case: how much of it there is, and its colour's number, -1 where it is not drawn."""

    label: str
    colour: int
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One case of the gallery."""

    title: str
    verdict: str
    facts: tuple[tuple[str, str], ...]
    planes: tuple[Plane, ...]
    legend: tuple[Outlined, ...] = ()
    issues: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Gallery:
    """Cases side by side; outlines can be switched off."""

    kind: ClassVar[str] = "gallery"
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a section under its own heading."""

    kind: ClassVar[str] = "part"
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """Blocks side by side, as many as the page is wide."""

    kind: ClassVar[str] = "beside"
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Something to unfold; `badge` in its `tone`, `note` and `count` stand in its line."""

    kind: ClassVar[str] = "fold"
    title: str
    blocks: tuple[Block, ...]
    badge: str = ""
    tone: str = ""
    note: str = ""
    count: str = ""
    is_code: bool = False
    is_open: bool = False


Block: TypeAlias = (
    Prose
    | Notice
    | Items
    | Code
    | Tiles
    | Whole
    | Table
    | Drawing
    | Drawings
    | Gallery
    | Part
    | Beside
    | Fold
)
