"""The promise of an export target: which files a case becomes in the layout of another tool, and which describe them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from isocenter.base.plugins import Plugins
from isocenter.exports.selected import Selected

Labels: TypeAlias = tuple[str, ...]
"""Labels that one voxel has, in the order of their values."""


class Content(enum.StrEnum):
    """What a file of a case holds."""

    IMAGE = "image"
    LABELS = "labels"
    LABEL = "label"
    KNOWN = "known"
    RATER = "rater"
    SHARE = "share"
    INSTANCES = "instances"
    VALID = "valid"
    SLICES = "slices"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """One file of a case.

    Args:
        path: Where, relative to the folder.
        content: What it holds: `IMAGE` one channel as it is stored; `LABELS` a label map; `LABEL` 1 where one label
            is; `KNOWN` 1 where it is known what is there; `RATER` what one rater drew; `SHARE` how sure the raters are
            of a label, from 0 to 1; `INSTANCES` numbers of lesions; `VALID` 1 in real voxels; `SLICES` the slice table.
        name: The channel, label or rater it is of; of `KNOWN` the label, "" for all of them together.
        label: Of a rater's file the label, "" for the label map.
        values: Of a label map: the labels of a voxel, and the value that stands for them.
        ignore: Of a label map: the value where it is not known what is there; 0 where that is background.
    """

    path: str
    content: Content
    name: str = ""
    label: str = ""
    values: tuple[tuple[Labels, int], ...] = ()
    ignore: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an export writes.

    Args:
        files: Of each case (by id) its files.
        documents: Path to text of what describes them; written last, so that half an export never looks whole.
        folders: Folders that there are even where they hold nothing.
        left_out: Cases (by id) that the layout cannot hold, and why.
        notes: What a person should know of it.
    """

    files: dict[str, tuple[CaseFile, ...]]
    documents: dict[str, str]
    folders: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


Survey: TypeAlias = Callable[[], frozenset[Labels]]
"""Looks into all masks, for the labels that voxels have together."""


class Target(Protocol):
    """One layout, as a plain module.

    Contract:
        * A task, labels, or a folder of a name that the layout cannot carry are refused with `ConfigError`, with the
          reason, before anything is written.
        * Paths are relative and inside the folder, and no two files share one.
        * What is not known is never written as background: it is ignored, told in a file of its own, or the case is
          left out with the reason.
        * Nobody is in two parts of the split in what is written.
        * The same store and split make the same files.
    """

    def plan(self, selected: Selected, survey: Survey) -> Plan:
        """What is to be written of the cases that were selected."""


TARGETS: Plugins[Target] = Plugins("isocenter.exports.targets")
