"""List every file: what it is, whose it is, which series and stacks there are; or ask the list."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from isocenter.base.errors import ConfigError
from isocenter.base.options import options_of
from isocenter.base.workspace import Workspace as WorkspaceFolder
from isocenter.cli import account
from isocenter.cli.answers import print_answer
from isocenter.cli.console import from_here, note, show
from isocenter.cli.crashes import crash_logged
from isocenter.cli.drawing import drawn
from isocenter.cli.flags import (
    AsJson,
    Assignments,
    Jobs,
    Request,
    Seed,
    Workspace,
    assigned,
    info_of,
    value_of,
)
from isocenter.cli.running import document_of, leave_at_gate, lines_of, run_to
from isocenter.pipeline.config_schema import checked
from isocenter.pipeline.index import index as index_of
from isocenter.pipeline.index_tables import opened
from isocenter.pipeline.inventory import inventory
from isocenter.stages.index.options import ReadingOptions

app = typer.Typer(add_completion=False)

_CONFIG = Path("cohort.yaml")
_READING = {o.name: o for o in options_of(ReadingOptions)}
Content = Annotated[str | None, info_of(_READING["content"])]
Limits = Annotated[str | None, info_of(_READING["limits"])]
Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Folders, files or archives; or a cohort's config file (.yaml).", show_default="cohort.yaml"
    ),
]
Site = Annotated[str | None, typer.Option("--site", help="The centre that the folders come from.")]
Query = Annotated[
    str | None,
    typer.Option("--query", metavar="SQL", help="Answer one SELECT from the tables, instead of the account."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the command was asked for."""

    workspace: Path | None
    jobs: int | None
    query: str | None
    as_json: bool
    site: str | None = None
    reading: dict[str, object] = field(default_factory=dict)
    overrides: dict[str, object] = field(default_factory=dict)


@app.command()
def index(
    paths: Paths = None,
    *,
    site: Site = None,
    workspace: Workspace = None,
    jobs: Jobs = None,
    content: Content = None,
    limits: Limits = None,
    query: Query = None,
    seed: Seed = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """List every file: what it is, whose it is, which series and stacks there are; or ask the list.

    Headers are read, pixels are not. What is printed is the account: every entry with its one state, and
    what the headers say, counted. Folders, single files and archives need no config; of them nothing is
    kept without --workspace. With it a later call reads only what has changed, and --query alone asks
    the tables that are there: files, states, instances, frames, annotations, layout, series, stacks,
    studies, subjects, issues.
    """
    reading = {
        n: value_of(_READING[n], v) for n, v in (("content", content), ("limits", limits)) if v is not None
    }
    overrides = assigned(assignments or []) | ({} if seed is None else {"seed": seed})
    asked = _Asked(
        workspace=workspace,
        jobs=jobs,
        query=query,
        as_json=as_json,
        site=site,
        reading=reading,
        overrides=overrides,
    )
    named = paths or []
    if workspace is not None and not named and (query is not None or not _CONFIG.exists()):
        _of_tables(workspace, asked)
    elif not named or any(_is_config(p) for p in named):
        _of_cohort(named or [_CONFIG], asked)
    else:
        _of_folders(named, asked)


def _is_config(path: Path) -> bool:
    return path.suffix.lower() in {".yaml", ".yml"} and not path.is_dir()


def _of_tables(workspace: Path, asked: _Asked) -> None:
    """Ask the tables of an index that was made before."""
    _tell(workspace, asked, {"workspace": from_here(workspace.absolute())})


def _of_cohort(paths: list[Path], asked: _Asked) -> None:
    """Index the sources of a config."""
    if len(paths) > 1:
        raise ConfigError("name one config file, or folders, files and archives; not both")
    if asked.site is not None:
        raise ConfigError("--site is for folders; a config names the site of each source")
    overrides = asked.overrides | {f"reading.{name}": value for name, value in asked.reading.items()}
    overrides |= {} if asked.workspace is None else {"workspace": str(asked.workspace)}
    done = run_to("index", Request(paths[0], overrides, asked.jobs, asked.as_json))
    _tell(done.workspace, asked, document_of(done), list(lines_of(done)))
    leave_at_gate(done)


def _of_folders(paths: list[Path], asked: _Asked) -> None:
    """Index folders, files and archives as they are."""
    if asked.overrides:
        raise ConfigError("--set and --seed are for a config")
    reading = checked(ReadingOptions, asked.reading, "reading")
    with drawn() as progress:
        found = index_of(
            *paths,
            site=asked.site,
            workspace=asked.workspace,
            jobs=asked.jobs,
            content=reading.content,
            limits=reading.limits,
            progress=progress,
        )
    is_kept = asked.workspace is not None
    where = from_here(found.workspace.absolute()) if is_kept else None
    _tell(found.workspace, asked, {"counts": found.counts, "workspace": where})
    if asked.query is None:
        scanned, reused = found.counts["scanned"], found.counts["reused"]
        kept = f"kept in {where}" if is_kept else "nothing is kept; --workspace FOLDER keeps the tables"
        note(f"{scanned:,} files read, {reused:,} known from before; {kept}.")


def _tell(workspace: Path, asked: _Asked, document: dict[str, Any], lines: list[str] | None = None) -> None:
    """Print the answer to the query, or the account."""
    with crash_logged(workspace):
        if asked.query is not None:
            with opened(WorkspaceFolder(workspace)) as database:
                print_answer(database.ask(asked.query), as_json=asked.as_json)
            return
        found = inventory(workspace)
    head = [*lines, ""] if lines else []
    show(document | {"inventory": found}, [*head, *account.lines_of(found)], as_json=asked.as_json)
