"""Identities: whose each row is, found once for all rows that say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from isocenter.formats.dataset import DatasetRow
from isocenter.stages.index.columns import Members
from isocenter.stages.index.subjects import Identity, SubjectFinder

# Columns that may decide by tag, in SQL: a study is looked at only where studies stand for subjects.
_TAGS = {"PatientID": ("patient_id", "patient_id_issuer"), "PatientName": ("patient_name",)}


class Claim(NamedTuple):
    """What a header says of whose it is."""

    patient_id: str | None
    patient_id_issuer: str | None
    patient_name: str | None
    study_uid: str | None


class Identities:
    """The identity of every file.

    `by_file` are the sources in which the file itself decides, not its header.

    Args:
        finders: How subjects are found, by source.
        layout: What layouts say, by file.
        sources: Sources that layouts say anything of.
    """

    def __init__(
        self, finders: Sequence[SubjectFinder], layout: Mapping[str, DatasetRow], sources: set[int]
    ) -> None:
        self.finders = finders
        self._layout = layout
        self.by_file = [n for n, f in enumerate(finders) if f.is_by_path or n in sources]
        self._known: dict[tuple[int, tuple[str | None, ...]], Identity] = {}
        self._columns = [_TAGS.get(f.tag, ("study_uid",)) for f in finders]

    def find(self, source: int, file_id: str, path: str, claim: Claim) -> Identity:
        """The identity of one file; file and path count only in sources `by_file`."""
        if source in self.by_file:
            given = self._layout.get(file_id)
            return self.finders[source].find(path, claim, given.subject if given else "")
        key = (source, tuple(getattr(claim, c) for c in self._columns[source]))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self.finders[source].find(path, claim)
        return known

    def of_series(self, members: Members) -> list[Identity]:
        """Those of a series: that of its first row, then every other one."""
        if members.is_one("source") and members.value("source") not in self.by_file:
            columns = self._columns[members.value("source")]
            if all(members.is_one(c) for c in columns):
                return [self.find(members.value("source"), "", "", _claim(members, 0))]
        first = _claim(members, 0)
        is_one = all(members.is_one(c) for c in Claim._fields)
        rows = zip(members.file_ids, members.paths, strict=True)
        found = (
            self.find(members.value("source", n), *row, first if is_one else _claim(members, n))
            for n, row in enumerate(rows)
        )
        return list(dict.fromkeys(found))


def _claim(members: Members, row: int) -> Claim:
    return Claim(*(members.value(n, row) for n in Claim._fields))
