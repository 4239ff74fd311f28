"""The archive while it is being written: where files go, and the record of everything put into it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from isocenter.base import seeds
from isocenter.testing.simulate import people
from isocenter.testing.simulate.truth import Identifier, PlantedFault, TrueCase, TrueSite

READERS = ("reader1", "reader2")
DUMMY_ID = "ANONYMOUS"
VOCABULARY = {
    "lesion": ("GTV_1", "Tumor", "Läsion", "gtv primary", "GTV-1"),
    "heart": ("Heart", "Herz", "HEART", "cor"),
}


@dataclass(slots=True, kw_only=True)
class Archive:
    """An archive under construction.

    Args:
        root: Its folder.
        seed: Everything random in it hangs on this.
        matrix: Pixels along each side of a CT slice.
        slices: Slices of a CT.
        has_identifiers: Whether names, birth dates and the like are planted.
        has_special_files: Whether a symbolic link and a pipe may be made.
    """

    root: Path
    seed: int
    matrix: int
    slices: int
    has_identifiers: bool
    has_special_files: bool = False
    sites: list[TrueSite] = field(default_factory=list)
    cases: list[TrueCase] = field(default_factory=list)
    faults: list[PlantedFault] = field(default_factory=list)
    _identifiers: set[Identifier] = field(default_factory=set)
    _people: int = 0

    def stream(self, *purpose: str | int) -> np.random.Generator:
        """Random numbers for one purpose."""
        return seeds.stream(self.seed, "simulate", *purpose)

    def uid(self, *purpose: str | int) -> str:
        """A UID for one purpose, recorded as an identifier.

        It has the form of PS3.5 B.2 (2.25 and a 128-bit number), so that no registered root is claimed.
        """
        words = "\x1f".join(map(str, (self.seed, "uid", *purpose)))
        number = int.from_bytes(hashlib.blake2b(words.encode(), digest_size=16).digest(), "big")
        uid = f"2.25.{number | 1 << 127}"
        self.plant("uid", uid)
        return uid

    def person(self, site: TrueSite) -> people.Person:
        """A new patient of a site; their IDs are recorded where they are written."""
        self._people += 1
        index = [s.name for s in self.sites].index(site.name)
        return people.person(self.seed, site.name, index, self._people, identifiers=self.has_identifiers)

    def plant(self, kind: str, *texts: str) -> None:
        """Record identifying texts that are being written; empty ones and dummies are passed over."""
        self._identifiers.update(Identifier(kind, text) for text in texts if text and text != DUMMY_ID)

    def plant_person(self, person: people.Person) -> None:
        """Record what every header of a person says."""
        self.plant("patient-id", person.patient_id, person.other_id)
        self.plant("patient-name", person.name, person.family, person.given)
        self.plant("birth-date", person.birth_date)

    def path(self, *parts: str) -> Path:
        """A path in the archive whose folder exists."""
        path = self.root.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def relative(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """Paths as the truth names them."""
        return tuple(p.relative_to(self.root).as_posix() for p in paths)

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """All recorded identifiers, sorted."""
        return tuple(sorted(self._identifiers))
