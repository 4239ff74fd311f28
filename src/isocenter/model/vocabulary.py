"""Vocabulary: from the free-text names of the sources to the labels of the task."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from isocenter.model.annotation import Part
from isocenter.model.task import Label


class Vocabulary:
    """The labels with the names they go by.

    Args:
        labels: Label name to its entry.
    """

    def __init__(self, labels: Mapping[str, Label]) -> None:
        self._labels = labels

    @property
    def names(self) -> tuple[str, ...]:
        """The labels."""
        return tuple(self._labels)

    def label_of(self, name: str) -> str | None:
        """The label that a free-text name stands for; None where there is none, or where two would fit."""
        return self.match(name)[0]

    def match(self, name: str, code: str = "") -> tuple[str | None, bool]:
        """The label that a name stands for, as `label_of`, and whether the name was given as it is, by no pattern.

        An equal code (SCHEME:VALUE) decides where one label alone has it; else the name does.
        """
        coded = [k for k, v in self._labels.items() if code and v.code.strip().upper() == code.upper()]
        if len(coded) == 1:
            return coded[0], True
        text = name.strip().lower()
        exact = [k for k, v in self._labels.items() if text in {k.lower(), *(a.lower() for a in v.aliases)}]
        if exact:
            return (exact[0] if len(exact) == 1 else None), True
        fitting = [k for k, v in self._labels.items() if any(fnmatchcase(text, a.lower()) for a in v.aliases)]
        return (fitting[0] if len(fitting) == 1 else None), False

    def match_part(self, part: Part) -> tuple[str | None, bool]:
        """As `match`, of a part of an annotation file: by its code, its name, or else its identifier there."""
        label, is_exact = self.match(part.name, part.code)
        return self.match(part.id) if label is None and part.id else (label, is_exact)

    def value_of(self, label: str) -> int:
        """The label's value in packed masks."""
        return self._labels[label].value


def scrub(text: str, identifiers: Iterable[str]) -> str:
    """A free text without the identifiers of its own subject (names, IDs, dates).

    Parts of three letters or more are taken out wherever they stand, those of two only as whole words.
    """
    words = sorted({w for i in identifiers for w in _words(i)}, key=lambda w: (-len(w), w))
    folded = text.lower()
    # most texts name nobody: within ASCII that is seen without a pattern of their own
    if text.isascii() and all(w.isascii() and w.lower() not in folded for w in words):
        return text
    return re.sub("|".join(map(_pattern, words)), "*", text, flags=re.IGNORECASE) if words else text


def _pattern(word: str) -> str:
    exact = re.escape(word)
    return exact if len(word) > 2 else rf"(?<![^\W_]){exact}(?![^\W_])"


def _words(identifier: str) -> list[str]:
    parts = identifier.replace("^", " ").replace(",", " ").replace("=", " ").split()
    return [w for w in [identifier, *parts] if len(w) > 1]
