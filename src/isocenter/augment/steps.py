"""Steps: the transforms that a foreign configuration names, as they are written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


class Unread:
    """What cannot be known without running the text: a variable, a call, an expression in quotes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transform as it is written down.

    Args:
        name: Its class, without modules and by its own name, whatever it was imported as: `RandomAffine`. "" where only
            running the text tells which one of a module it is.
        line: Line on which it begins.
        arguments: What is said by name; an `Unread` where it cannot be known.
        places: What is said by position.
        unread: What it is given of which no name and no position is known: `*more`, `**options`.
        bases: Classes that it is derived from, where it is a class of its own.
        origin: Module that it comes from, as far as the text says; "" where it says nothing.
        is_called: False where it is only named, to be called elsewhere with nobody knows what.
    """

    name: str
    line: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    places: tuple[Any, ...] = ()
    unread: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    origin: str = ""
    is_called: bool = True

    def named(self, order: tuple[str, ...]) -> Step:
        """The step with what is said by position said by name; positions beyond the order stay."""
        said = dict(zip(order, self.places, strict=False)) | dict(self.arguments)
        return replace(self, arguments=said, places=self.places[len(order) :])

    def value(self, name: str, default: Any = None) -> Any:
        """An argument by its name, or what the framework takes where it is left out."""
        return self.arguments.get(name, default)
