"""An index's account as text: one block for each thing counted, largest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from isocenter.cli.console import clean
from isocenter.pipeline.forecast import size_text
from isocenter.pipeline.inventory import Inventory, Tallies

_MOST_LINES = 12
_LONGEST = 240
_INDENT = "  "


def lines_of(found: Inventory) -> Iterator[str]:
    """The whole account; blocks that have nothing to tell are left out."""
    inside = (
        f" and {_many(found.archives, 'archive')} ({found.archived:,} of them inside)"
        if found.archives
        else ""
    )
    yield f"{_many(found.entries, 'entry', 'entries')} in {_many(found.folders, 'folder')}{inside}, {size_text(found.size_bytes)}"
    yield from _block("States", _states(found))
    yield from _tallied("Refused, by reason", found.refused)
    yield from _tallied("Ignored, by kind", found.ignored)
    yield from _tallied("Kinds", found.kinds)
    if found.objects:
        yield from _tallied("Modalities of the DICOM objects", found.modalities)
        yield from _tallied("SOP Classes", found.sop_classes)
        yield from _tallied("Manufacturers", found.manufacturers)
        yield from _tallied("Models", found.models)
        yield from _tallied("Transfer syntaxes", found.transfer_syntaxes)
    if found.series:
        yield from _block("Groups", _groups(found))
    yield from _block("Found twice", [(d.count, d.value, d.name) for d in found.duplicates if d.count])
    yield from _block("Issues", _issues(found))


def _states(found: Inventory) -> list[tuple[int, str, str]]:
    rows = [(s.entries, s.state, f"{s.meaning}, {size_text(s.size_bytes)}") for s in found.states]
    total = sum(s.entries for s in found.states)
    told = "every entry is in exactly one state" if total == found.entries else "NOT the number of entries"
    return [*rows, (total, "sum", told)]


def _groups(found: Inventory) -> list[tuple[int, str, str]]:
    dummies = f"{found.dummy_subjects:,} of them by an ID that names nobody" if found.dummy_subjects else ""
    loose = f"{found.series_without_subject:,} of them name nobody" if found.series_without_subject else ""
    return [
        (found.subjects, "subjects", dummies),
        (found.studies, "studies", ""),
        (found.series, "series", loose),
        (found.stacks, "stacks", ""),
    ]


def _issues(found: Inventory) -> list[tuple[int, str, str]]:
    return [
        (i.count, f"{i.severity} {i.rule}".strip(), f"{i.meaning} {i.what_to_do}".strip())
        for i in found.issues
    ]


def _tallied(title: str, tallies: Tallies) -> Iterator[str]:
    rows = [(t.count, _named(t.value), t.name) for t in tallies.largest[:_MOST_LINES]]
    more = tallies.values - len(rows)
    rest = tallies.total - sum(count for count, _, _ in rows)
    yield from _block(title, rows, f"and {more:,} more ({rest:,})" if more else "")


def _named(value: str) -> str:
    return value or "(none)"


def _block(title: str, rows: Sequence[tuple[int, str, str]], last: str = "") -> Iterator[str]:
    """A title and aligned rows of count, value and what it means."""
    if not rows:
        return
    yield ""
    yield title
    shown = [
        (f"{count:,}", _one_line(value), _one_line(meaning)) for count, value, meaning in rows[:_MOST_LINES]
    ]
    counts = max(len(count) for count, _, _ in shown)
    values = max(cell_len(value) for _, value, _ in shown)
    for count, value, meaning in shown:
        space = " " * (values - cell_len(value))
        yield f"{_INDENT}{count:>{counts}}  {value}{space}  {meaning}".rstrip()
    if len(rows) > len(shown):
        rest = sum(count for count, _, _ in rows[len(shown) :])
        last = f"and {len(rows) - len(shown):,} more ({rest:,})"
    if last:
        yield f"{_INDENT}{'':>{counts}}  {last}"


def _one_line(text: str) -> str:
    """A text from a header or of ours on one line: cleaned here, so that it is as wide as it is measured."""
    plain = clean(text).replace("\n", " ").replace("\t", " ")
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
