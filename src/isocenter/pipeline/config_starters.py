"""Starters: a commented cohort.yaml out of what was guessed, with every further key shown at its default."""

from __future__ import annotations

import dataclasses
import enum
import re
from dataclasses import dataclass, field
from typing import Any

from isocenter.base.documents import yaml_text
from isocenter.base.options import options_of
from isocenter.model.task import Task
from isocenter.pipeline.config_cohort import CohortConfig

_HEAD = """\
# A cohort: what is to be learned, from which folders. Made by `isocenter config init`; change what you like.
#
#   isocenter config check cohort.yaml     tells everything that is wrong with it
#   isocenter run cohort.yaml --dry-run    what would come of it, without building anything
#   isocenter run cohort.yaml              from the folders to a packed data set and its report
"""
_SECTIONS = {
    "task": "What is to be learned: segmentation, detection or classification.",
    "sources": "Folders to read, each with its centre and how to find the subject of a file.",
    "channels": "Images of a case. The first is the reference: all others are put on its grid.",
    "labels": "What is to be found, with the names it goes by in the data. Without values they are numbered.",
    "unit": "One case per study (subject and study date), or per image.",
    "overlapping": "Labels that may overlap each get a mask of their own.",
    "annotations": "Where annotations come from.",
}
_FURTHER = ("screen", "standardise", "agreement", "split", "store", "executor")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(slots=True)
class Starter:
    """What was guessed, as the values of a config, and what is to be said about each key."""

    kind: str
    task: Task
    sources: list[dict[str, Any]] = field(default_factory=list)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    unit: str = ""
    overlapping: bool = False
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, key: str, text: str) -> None:
        """Say something above a key."""
        self.notes.setdefault(key, []).append(text)


def render(starter: Starter) -> str:
    """The starter as commented YAML."""
    parts = [_HEAD]
    for key, comment in _SECTIONS.items():
        value = getattr(starter, key)
        if value in (False, "", [], {}):
            continue
        lines = [f"# {comment}", *(f"# {_CONTROL.sub(' ', note)}" for note in starter.notes.get(key, []))]
        plain = {n: v or None for n, v in value.items()} if key == "labels" else value
        parts.append("\n".join(lines) + "\n" + yaml_text({key: str(value) if key == "task" else plain}))
    parts.append(_further())
    return "\n".join(parts)


def _further() -> str:
    """Every key that was not set, commented out, with its default and its help."""
    lines = ["# Further keys with their defaults; remove the # to change one.", "#"]
    owners = {o.name: o for o in options_of(CohortConfig)}
    for section in _FURTHER:
        lines.append(f"# {section}:   # {owners[section].help}")
        lines += [f"#   {o.name}: {_shown(o.default)}   # {o.help}" for o in options_of(owners[section].type)]
    lines += [
        f"# {n}: {_shown(owners[n].default)}   # {owners[n].help}"
        for n in ("name", "unit", "seed", "workspace")
    ]
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    """A default on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(v) for v in value) + "]"
    if isinstance(value, enum.Enum):
        return str(value.value)
    if dataclasses.is_dataclass(value):
        return _shown({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) or '""'
