"""Losses: files that could not be used and may have been slices, by the series or the folder that lacks them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from isocenter.model.rows import FileRow, Instance, Stack
from isocenter.stages.index.rows import series_key
from isocenter.stages.index.stack import PROJECTIONS

# A DICOM file that was refused; where its header could be read, an instance holds its identity.
REFUSED = "dicom-unreadable"
# What a slice may have become that nobody can read: told by its name alone, if at all.
_UNTOLD = {"empty", "unreadable", "unknown"}


class Losses:
    """How many files a series or stack may lack.

    Args:
        images: Instances of all images, refused ones with them.
        files: Rows by file id.
        lost: Files that cannot be used, copies of used ones aside.
    """

    def __init__(self, images: Iterable[Instance], files: Mapping[str, FileRow], lost: set[str]) -> None:
        known, refused, used = set(), [], set()
        for row in images:
            known.add(row.file_id)
            if row.file_id in lost:
                refused.append(row)
            else:
                used.add((row.site, row.sop_instance_uid))
        # a broken copy of an object that is there in full is no loss
        whole = [r for r in refused if r.sop_instance_uid is None or (r.site, r.sop_instance_uid) not in used]
        self._series = Counter(series_key(r) for r in whole)
        self._files = files
        self._beside: dict[tuple[int, str], list[str]] = {}
        for file in files.values():
            if file.kind in _UNTOLD or (file.kind == REFUSED and file.file_id not in known):
                look = "" if file.kind == REFUSED else _look(file.path)
                self._beside.setdefault(_folder(file), []).append(look)

    def of_series(self, key: tuple[str, ...]) -> int:
        """Files that say themselves that they are of a series."""
        return self._series[key]

    def beside(self, stack: Stack) -> int:
        """Files in the folders of a stack of slices that do not say whose they are, and may be of this one.

        What is no longer known for DICOM must at least be named like the stack's own files.
        """
        if stack.format != "dicom" or stack.multi_frame or stack.modality in PROJECTIONS or not self._beside:
            return 0
        looks: dict[tuple[int, str], set[str]] = {}
        for file_id in stack.files:
            row = self._files[file_id]
            looks.setdefault(_folder(row), {""}).add(_look(row.path))
        return sum(look in own for folder, own in looks.items() for look in self._beside.get(folder, ()))


def _folder(row: FileRow) -> tuple[int, str]:
    return row.source, row.path.rpartition("/")[0]


def _look(path: str) -> str:
    """What files of one series have in common in their names: the extension, or all but the numbers."""
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    return suffix if suffix[1:].isalpha() else re.sub(r"[\d.]+", "#", name.name)
