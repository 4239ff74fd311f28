"""What the enrol stage reads: the tables of index and screen, and ways to look things up in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from isocenter.base import tables
from isocenter.base.workspace import Workspace
from isocenter.model.rows import AnnotationObject, FileRow, Instance, LayoutRow, Stack, VerdictRow


@dataclass(frozen=True)
class Inputs:
    """The tables, read once; `base` is the folder that the config's paths start from, `roots` those of the sources."""

    files: dict[str, FileRow]
    stacks: dict[str, Stack]
    verdicts: dict[str, VerdictRow]
    objects: tuple[AnnotationObject, ...]
    layout: dict[str, LayoutRow]
    instances: dict[str, Instance]
    base: Path
    broken: tuple[AnnotationObject, ...] = ()
    roots: tuple[Path, ...] = ()

    @classmethod
    def read(
        cls, workspace: Workspace, base: Path, dropped: set[str], roots: tuple[Path, ...] = ()
    ) -> Inputs:
        """Read the tables of a workspace; objects whose file was dropped by the index are `broken`."""
        index = partial(workspace.table, "index")
        objects = tuple(tables.read(index("annotations"), AnnotationObject))
        return cls(
            files={r.file_id: r for r in tables.read(index("files"), FileRow)},
            stacks={s.id: s for s in tables.read(index("stacks"), Stack)},
            verdicts={v.target: v for v in tables.read(workspace.table("screen", "verdicts"), VerdictRow)},
            objects=tuple(o for o in objects if o.file_id not in dropped),
            broken=tuple(o for o in objects if o.file_id in dropped and not o.numbers),
            layout={r.file_id: r for r in tables.read(index("layout"), LayoutRow)},
            instances={r.file_id: r for r in tables.read(index("instances"), Instance)},
            base=base,
            roots=roots,
        )

    def path(self, stack: Stack) -> str:
        """Path of a stack's first file."""
        return self.files[stack.files[0]].path

    @cached_property
    def stacks_of_series(self) -> dict[str, list[str]]:
        """Source series UID to stack ids."""
        return self._stacks_by("series_uid")

    @cached_property
    def stacks_of_study(self) -> dict[str, list[str]]:
        """Source study UID to stack ids."""
        return self._stacks_by("study_uid")

    @cached_property
    def stacks_of_instance(self) -> dict[str, list[str]]:
        """Source SOP Instance UID to stack ids."""
        return self._stacks_by("sop_instance_uid")

    @cached_property
    def stacks_of_path(self) -> dict[str, list[str]]:
        """Path, file name and file name without endings to stack ids; an ending that several files share names none."""
        whole: dict[str, dict[str, None]] = {}
        names: dict[str, dict[str, dict[str, None]]] = {}
        for stack in self.stacks.values():
            for file_id in stack.files:
                path = self.files[file_id].path
                name = path.rpartition("/")[2]
                whole.setdefault(path, {})[stack.id] = None
                for key in {name, name.partition(".")[0]}:
                    names.setdefault(key, {}).setdefault(file_id, {})[stack.id] = None
        unique = {k: [s for stacks in v.values() for s in stacks] for k, v in names.items() if _is_one(v)}
        return unique | {k: list(v) for k, v in whole.items()}

    @cached_property
    def stack_of_file(self) -> dict[str, Stack]:
        """File id to the stack that the file alone makes up."""
        return {s.files[0]: s for s in self.stacks.values() if len(s.files) == 1}

    @cached_property
    def stacks_of_subject(self) -> dict[str, list[str]]:
        """Subject pseudonym to stack ids."""
        out: dict[str, list[str]] = {}
        for stack in self.stacks.values():
            out.setdefault(stack.subject, []).append(stack.id)
        return out

    @cached_property
    def identifiers(self) -> dict[str, set[str]]:
        """Subject pseudonym to the names, IDs and dates that its own headers hold."""
        out: dict[str, set[str]] = {}
        for stack in self.stacks.values():
            row = self.instances[stack.files[0]]
            known = {row.patient_id, row.patient_name, row.birth_date, row.study_date} - {None}
            out.setdefault(stack.subject, set()).update(str(k) for k in known)
        for found in self.objects:
            known = {found.patient_id, found.patient_name, found.birth_date} - {None}
            out.setdefault(found.subject, set()).update(str(k) for k in known)
        out.pop("", None)  # files that name nobody are not one person
        return out

    def _stacks_by(self, field: str) -> dict[str, list[str]]:
        out: dict[str, dict[str, None]] = {}
        for stack in self.stacks.values():
            for file_id in stack.files:
                if value := getattr(self.instances[file_id], field):
                    out.setdefault(value, {})[stack.id] = None
        return {value: list(ids) for value, ids in out.items()}


def _is_one(files: Mapping[str, Mapping[str, None]]) -> bool:
    """Whether a name means one file, or the files of one stack."""
    return len(files) == 1 or len({s for stacks in files.values() for s in stacks}) == 1
