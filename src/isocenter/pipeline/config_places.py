"""Checks that what a config points to is there: folders, tables with their columns, path templates."""

from __future__ import annotations

import re
from pathlib import Path

from isocenter.base.documents import KeyPath, read_csv_rows
from isocenter.base.errors import FormatError
from isocenter.base.templates import Template
from isocenter.formats.label_table import read_label_table
from isocenter.pipeline.config_draft import Draft
from isocenter.stages.enrol.options import AnnotationKind, AnnotationSource, TableShape

_TOKEN = re.compile(r"\{[A-Za-z_]\w*\}")
_BOX = ("x0", "y0", "z0", "x1", "y1", "z1")
_CENTRE = ("x", "y", "z", "diameter_mm")
_NAMES = ("key", "label", "rater", "site", "side", *_BOX, *_CENTRE)


def check_places(draft: Draft) -> None:
    """Note every folder, table, column and template that is not there or cannot be understood."""
    for at, source in draft.values.get("sources", {}).items():
        path: KeyPath = ("sources", at)
        if not draft.where(source.path).exists():
            draft.wrong((*path, "path"), f"there is no folder {source.path!r}, and no file")
        subject = source.subject
        _check_templates(draft, (*path, "subject", "pattern"), subject.pattern)
        _check_templates(draft, (*path, "include"), source.include)
        _check_templates(draft, (*path, "exclude"), source.exclude)
        if subject.table and (header := _header(draft, (*path, "subject", "table"), subject.table)):
            for key in ("key", "column"):
                _check_column(draft, (*path, "subject", key), getattr(subject, key), header)
    for name, channel in draft.values.get("channels", {}).items():
        _check_templates(draft, ("channels", name, "path"), channel.path)
    for at, annotation in draft.values.get("annotations", {}).items():
        if annotation.kind is AnnotationKind.TABLE:
            _check_table(draft, at, annotation)
        else:
            _check_files(draft, at, annotation)
    split = draft.values.get("split")
    if split is not None and split.links:
        header = _header(draft, ("split", "links"), split.links)
        if header and ("subject" not in {n.lower() for n in header} or len(header) < 2):
            draft.wrong(("split", "links"), "the table needs the column subject and another one, e.g. alias")
    _check_workspace(draft)


def _check_workspace(draft: Draft) -> None:
    if "workspace" not in draft.values or "sources" not in draft.values:
        return
    workspace = draft.where(draft.values["workspace"]).resolve()
    for at, source in draft.values["sources"].items():
        root = draft.where(source.path).resolve()
        if not workspace.is_relative_to(root):
            continue
        inside = workspace.relative_to(root) / "done.json"
        if all(Template(t).match(inside.as_posix()) is None for t in source.exclude):
            hint = f'move it, or add "{inside.parent.as_posix()}/**" to sources[{at}].exclude'
            draft.wrong(("workspace",), f"lies inside sources[{at}]", hint)
    key = draft.values.get("key", "")
    if key and not draft.where(key).is_file():
        draft.wrong(("key",), f"there is no file {key!r}")


def _check_templates(draft: Draft, path: KeyPath, templates: tuple[str, ...]) -> None:
    for at, template in enumerate(templates):
        _check_template(draft, (*path, at), template)


def _check_template(draft: Draft, path: KeyPath, template: str) -> bool:
    if re.search(r"[{}]", _TOKEN.sub("", template)):
        draft.wrong(path, f"{template!r} has a brace that is no {{name}}")
    elif template.startswith("/") or "\\" in template:
        draft.wrong(path, "a path template starts from a source's folder and has forward slashes")
    elif not template:
        draft.wrong(path, "is empty")
    else:
        return True
    return False


def _check_files(draft: Draft, at: int, annotation: AnnotationSource) -> None:
    path: KeyPath = ("annotations", at)
    if annotation.path and not _check_template(draft, (*path, "path"), annotation.path):
        return
    if annotation.names:
        _check_names_file(draft, at, annotation)
    names = set(Template(annotation.path).names)
    for name in Template(annotation.rater).names:
        if name not in (known := {*names, "file"}):
            draft.unknown((*path, "rater"), "named part of the path", name, known)
    if annotation.image and _check_template(draft, (*path, "image"), annotation.image):
        parts = set(Template(annotation.image).names)
        if not parts & names:
            message = "has no named part in common with path, so no mask finds its image"
            draft.wrong((*path, "image"), message)


def _check_names_file(draft: Draft, at: int, annotation: AnnotationSource) -> None:
    """A label table that is there and names something, or a template of them."""
    path: KeyPath = ("annotations", at, "names")
    if annotation.has_names_by_path:
        _check_template(draft, path, annotation.names)
        return
    place = draft.where(annotation.names)
    if not place.is_file():
        draft.wrong(path, f"there is no file {Path(annotation.names).name!r}")
        return
    try:
        read_label_table(place)
    except FormatError as error:
        draft.wrong(path, error.message)


def _check_table(draft: Draft, at: int, annotation: AnnotationSource) -> None:
    path: KeyPath = ("annotations", at, "columns")
    labels = list(draft.data.get("labels") or {})
    for name in annotation.columns:
        if name not in (known := {*_NAMES, *labels}):
            draft.unknown((*path, name), "kind of column", name, known)
    own_columns = [n for n in labels if n in annotation.columns]
    needed = ["key"]
    if annotation.shape is TableShape.LABELS:
        needed += own_columns or ["label"]
    elif not annotation.label and len(labels) > 1:
        needed.append("label")
    for name in (n for n in needed if n not in annotation.columns):
        draft.wrong(path, f"does not say which column is the {name}", f"write {name}: its name in the table")
    header = _header(draft, ("annotations", at, "path"), annotation.path)
    if header is not None:
        shape = {TableShape.BOXES: _BOX, TableShape.CENTRES: _CENTRE}.get(annotation.shape, ())
        for name in dict.fromkeys([*shape, *annotation.columns]):
            _check_column(draft, (*path, name), annotation.columns.get(name, name), header)


def _check_column(draft: Draft, path: KeyPath, column: str, header: tuple[str, ...]) -> None:
    if column not in header:
        draft.unknown(path, "column", column, header)


def _header(draft: Draft, path: KeyPath, table: str) -> tuple[str, ...] | None:
    """The header of a table, or None where it cannot be read, which is noted."""
    place = draft.where(table)
    if not place.is_file():
        draft.wrong(path, f"there is no file {Path(table).name!r}")
        return None
    try:
        return read_csv_rows(place)[0]
    except FormatError as error:
        draft.wrong(path, error.message)
        return None
