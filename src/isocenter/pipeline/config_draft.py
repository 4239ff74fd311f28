"""A config while it is being checked: what is valid so far, and everything that is wrong with the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isocenter.base.documents import Document, KeyPath
from isocenter.base.errors import ConfigProblem
from isocenter.base.plugins import did_you_mean


@dataclass(slots=True)
class Draft:
    """The state of one check.

    Args:
        document: What was read, with its lines.
        folder: What relative paths start from.
        data: The document's data with overrides put in.
        origins: Where overridden keys were set, by key path.
        values: Valid values of the top-level keys; for sources and annotations by position, for labels and
            channels by name, without the entries that are not valid.
        problems: What is wrong so far.
    """

    document: Document
    folder: Path
    data: dict[str, Any]
    origins: dict[KeyPath, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)

    def wrong(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Note a problem with a key, on the line where the key, or the nearest one above it, stands."""
        origin = next((o for key, o in self.origins.items() if path[: len(key)] == key), "")
        line = None if origin else self.document.line_of(path)
        hints = "; ".join(h for h in (hint, f"set by {origin}" if origin else "") if h)
        self.problems.append(ConfigProblem(dotted(path), message, line, hints))

    def unknown(self, path: KeyPath, what: str, name: str, known: Iterable[str]) -> None:
        """Note that a name is not known, with the nearest known one, or all of them where they are few."""
        names = sorted(known)
        hint = near(name, names) or (f"known: {', '.join(names)}" if 0 < len(names) <= 12 else "")
        self.wrong(path, f"there is no {what} {name!r}", hint)

    def where(self, path: str) -> Path:
        """A path of the config, made absolute from the config's folder."""
        return Path(self.folder, Path(path).expanduser())


def near(name: str, known: list[str]) -> str:
    """`did you mean 'x'?`, or nothing where no known name is near."""
    return did_you_mean(name, known).removeprefix("; ")


def dotted(path: KeyPath) -> str:
    """A key path as people write it.

    >>> dotted(("sources", 0, "subject", "tag"))
    'sources[0].subject.tag'
    """
    pieces = (f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
    return "".join(pieces).removeprefix(".")
