"""The cohort's config: read `cohort.yaml`, tell everything that is wrong with it at once, write it as run."""

from __future__ import annotations

import dataclasses
import enum
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from isocenter.base.documents import Document, read_yaml
from isocenter.base.errors import ConfigError
from isocenter.pipeline.config_cohort import CohortConfig, contract_of
from isocenter.pipeline.config_draft import Draft
from isocenter.pipeline.config_meaning import check_meaning
from isocenter.pipeline.config_names import check_names
from isocenter.pipeline.config_overrides import drafted
from isocenter.pipeline.config_places import check_places
from isocenter.pipeline.config_schema import schema, validate
from isocenter.stages.enrol.options import AnnotationKind, AnnotationSource
from isocenter.stages.index.options import Source

__all__ = ["CohortConfig", "as_document", "check", "contract_of", "load", "schema"]

_NONE: Mapping[str, object] = MappingProxyType({})


def load(
    path: Path, *, overrides: Mapping[str, object] = _NONE, environment: Mapping[str, str] | None = None
) -> CohortConfig:
    """Read a config file; paths in it start from its folder, and come back absolute.

    Args:
        path: The file.
        overrides: Values by dotted key, e.g. `{"split.strategy": "grouped"}`; they win over everything.
        environment: Variables such as `ISOCENTER_SPLIT__STRATEGY`, which win over the file; the process's
            own by default.

    Raises:
        ConfigError: With every problem: key path, line, and what may have been meant.
    """
    return check(read_yaml(path), path.absolute().parent, overrides=overrides, environment=environment)


def check(
    document: Document,
    folder: Path,
    *,
    overrides: Mapping[str, object] = _NONE,
    environment: Mapping[str, str] | None = None,
) -> CohortConfig:
    """Check a config that has been read, as `load` does; relative paths start from the folder."""
    draft = drafted(document, folder, overrides, os.environ if environment is None else environment)
    validate(draft)
    check_meaning(draft)
    check_names(draft)
    check_places(draft)
    if draft.problems:
        raise ConfigError(sorted(draft.problems, key=lambda p: p.line or 0), document.source)
    return _config_of(draft)


def as_document(config: CohortConfig) -> dict[str, Any]:
    """The config as run: every default filled in, and every path relative to the workspace it is kept in."""
    workspace = Path(config.workspace).absolute()

    def relative(path: str) -> str:
        return Path(os.path.relpath(Path(path).absolute(), workspace)).as_posix() if path else ""

    out: dict[str, Any] = _plain(_with_paths(config, relative))
    return out | {"workspace": "."}


def _config_of(draft: Draft) -> CohortConfig:
    values = dict(draft.values)
    for name in ("sources", "annotations"):
        values[name] = tuple(values.get(name, {}).values())
    return _with_paths(CohortConfig(**values), lambda p: _absolute(draft, p))


def _absolute(draft: Draft, path: str) -> str:
    return os.path.normpath(draft.where(path)) if path else ""


def _with_paths(config: CohortConfig, change: Callable[[str], str]) -> CohortConfig:
    """The config with every path of a file or folder changed; path templates are none."""

    def source(of: Source) -> Source:
        subject = dataclasses.replace(of.subject, table=change(of.subject.table))
        return dataclasses.replace(of, path=change(of.path), subject=subject)

    def annotation(of: AnnotationSource) -> AnnotationSource:
        is_file = of.kind is AnnotationKind.TABLE
        names = of.names if of.has_names_by_path else change(of.names)
        return dataclasses.replace(of, path=change(of.path) if is_file else of.path, names=names)

    return dataclasses.replace(
        config,
        sources=tuple(source(s) for s in config.sources),
        annotations=tuple(annotation(a) for a in config.annotations),
        workspace=change(config.workspace),
        key=change(config.key),
        split=dataclasses.replace(config.split, links=change(config.split.links)),
    )


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return str(value.value) if isinstance(value, enum.Enum) else value
