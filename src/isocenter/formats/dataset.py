"""The promise of a data-set layout: which of its files are images and masks, of whom, in which partition."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from isocenter.base.plugins import Plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRow:
    """One file of a data set; `path` is relative to its root, `labels` map mask values to names."""

    path: str
    role: str
    case: str
    subject: str
    channel: str = ""
    modality: str = ""
    partition: str = ""
    labels: tuple[tuple[int, str], ...] = ()


class DatasetLayout(Protocol):
    """One layout, as a plain module.

    Contract:
        * `is_layout` tells from the files of a folder whether it is of this layout, and never raises.
        * `rows` reads the data set's own description only, no image; a broken one raises `FormatError`.
        * A file that is described but not there is still a row; nothing outside the folder is named.
    """

    def is_layout(self, root: Path) -> bool:
        """Whether a folder has this layout."""

    def rows(self, root: Path) -> tuple[DatasetRow, ...]:
        """Every file of the data set, sorted by path."""


LAYOUTS: Plugins[DatasetLayout] = Plugins("isocenter.formats.datasets")
