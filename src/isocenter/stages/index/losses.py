"""Losses: files that could not be used and may have been slices, by the series or the folder that lacks them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from isocenter.base.database import Database
from isocenter.model.rows import Stack
from isocenter.stages.index.columns import Members
from isocenter.stages.index.geometry import PROJECTIONS
from isocenter.stages.index.used import REFUSED, SERIES_KEY, image_kinds

# What a slice may have become that nobody can read: told by its name alone, if at all.
_UNTOLD = "'empty', 'unreadable', 'unknown'"
# A file that cannot be used, a copy of a used one aside.
_LOST = (
    "(i.file_id IN (SELECT target FROM told) OR i.file_id IN (SELECT file_id FROM dropped WHERE NOT is_copy))"
)
_IMAGES = "SELECT {} FROM instances i WHERE i.kind IN ({}, '{}') AND {}"


class Losses:
    """How many files a series or stack may lack.

    Args:
        database: With the views files, instances and told, and the table of dropped files.
    """

    def __init__(self, database: Database) -> None:
        columns = f"i.site, i.format, {SERIES_KEY} AS series_key, i.sop_instance_uid AS uid"
        lost = _IMAGES.format(columns, image_kinds(), REFUSED, _LOST)
        there = _IMAGES.format("i.site, i.sop_instance_uid AS uid", image_kinds(), REFUSED, f"NOT {_LOST}")
        # a broken copy of an object that is there in full is no loss
        whole = f"""
            SELECT site, format, series_key, count(*) FROM ({lost}) AS lost
            WHERE uid IS NULL OR NOT EXISTS
                (SELECT 1 FROM ({there}) AS there WHERE there.site = lost.site AND there.uid = lost.uid)
            GROUP BY ALL
        """
        any_lost = next(database.rows(f"SELECT count(*) FROM instances i WHERE {_LOST}"))[0]
        found = database.rows(whole) if any_lost else ()
        self._series: dict[tuple[str, str, str], int] = {tuple(key): n for *key, n in found}
        self._beside: dict[tuple[int, str], Counter[str]] = {}
        untold = f"""
            SELECT f.source, f.path, f.kind FROM files f WHERE f.kind IN ({_UNTOLD})
            OR (f.kind = '{REFUSED}' AND f.file_id NOT IN (SELECT file_id FROM instances))
        """
        for source, path, kind in database.rows(untold):
            looks = self._beside.setdefault((source, path.rpartition("/")[0]), Counter())
            looks["" if kind == REFUSED else _look(path)] += 1

    def of_series(self, key: tuple[str, str, str]) -> int:
        """Files that say themselves that they are of a series."""
        return self._series.get(key, 0)

    @property
    def has_folders(self) -> bool:
        """Whether any folder holds files that do not say whose they are."""
        return bool(self._beside)

    def beside(self, stack: Stack, members: Members, rows: Sequence[int]) -> int:
        """Files in the folders of a stack of slices that do not say whose they are, and may be of this one.

        What is no longer known for DICOM must at least be named like the stack's own files.

        Args:
            stack: The stack.
            members: Its series.
            rows: Its files, as rows of the series.
        """
        if not self._beside or stack.format != "dicom" or stack.multi_frame or stack.modality in PROJECTIONS:
            return 0
        looks: dict[tuple[int, str], set[str]] = {}
        paths = members.paths
        for row in rows:
            folder = (members.value("source", row), paths[row].rpartition("/")[0])
            if folder in self._beside:
                looks.setdefault(folder, {""}).add(_look(paths[row]))
        return sum(self._beside[folder][look] for folder, own in looks.items() for look in own)


def _look(path: str) -> str:
    """What files of one series have in common in their names: the extension, or all but the numbers."""
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    return suffix if suffix[1:].isalpha() else re.sub(r"[\d.]+", "#", name.name)
