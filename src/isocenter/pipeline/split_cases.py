"""The cases of a workspace or store as one row per subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from isocenter.base import tables
from isocenter.base.errors import StoreNotFound
from isocenter.model.rows import CaseRow
from isocenter.model.split import SplitRow
from isocenter.pipeline.split_links import links_of_table
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.rows import rows_of


def store_at(path: Path) -> Path:
    """The store of a workspace, or the store itself.

    Raises:
        StoreNotFound: it is neither.
    """
    for root in (path / "store", path):
        if (root / "cases.parquet").is_file():
            return root
    raise StoreNotFound(f"no workspace or store with cases.parquet: {path.name}")


def rows_at(
    path: Path,
    options: SplitOptions,
    *,
    links: Mapping[str, Sequence[str]] | None = None,
    times: Mapping[str, tuple[str, str]] | None = None,
    people_of: Callable[[str], Iterable[str]] | None = None,
) -> list[SplitRow]:
    """One row per subject of the cases of a workspace or store.

    Args:
        path: The workspace or store.
        options: What is balanced and kept together.
        links: What else keeps subjects together.
        times: When the first and the last case of a subject were taken.
        people_of: The subjects behind a name in the table of links.

    Raises:
        ConfigError: the table of links fits nobody.
        StoreNotFound: the path is no workspace or store.
    """
    cases = list(tables.read(store_at(path) / "cases.parquet", CaseRow))
    together = {s: list(found) for s, found in (links or {}).items()}
    if options.links:
        found_links = links_of_table(Path(options.links), (c.subject for c in cases), people_of)
        for subject, found in found_links.items():
            together.setdefault(subject, []).extend(found)
    return rows_of(cases, options.strata, groups=options.groups, links=together, times=times)
