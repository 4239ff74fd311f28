"""Divide the subjects into train, val and test, or folds, none in two of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from isocenter.base.digests import canonical_json
from isocenter.base.errors import ConfigError
from isocenter.cli.console import from_here, note, show
from isocenter.cli.flags import AsJson, Assignments, Jobs, Request, Seed, Workspace, assigned, option_flags
from isocenter.cli.running import run_until
from isocenter.model.issue import Severity
from isocenter.model.split import Split
from isocenter.pipeline.config_schema import checked
from isocenter.pipeline.split import split_rows
from isocenter.pipeline.split_files import read_exported, write_exports
from isocenter.pipeline.split_table import TableOptions
from isocenter.pipeline.summary import certified
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.outer import outer_splits

app = typer.Typer(add_completion=False)


@app.command()
@option_flags(SplitOptions, TableOptions)
def split(
    path: Annotated[
        Path,
        typer.Argument(help="A cohort's config file, or a CSV or TSV file of people.", show_default=True),
    ] = Path("cohort.yaml"),
    *,
    previous: Annotated[
        Path | None,
        typer.Option(
            "--previous",
            metavar="FILE",
            help="Of a table: an earlier split (CSV or JSON) whose places are kept.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Of a table: write the split as CSV, JSON and splits_final.json there.",
        ),
    ] = None,
    workspace: Workspace = None,
    jobs: Jobs = None,
    seed: Seed = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    options: dict[str, Any],
) -> None:
    """Divide the subjects into train, val and test, or folds, none in two of them.

    Of a cohort's config, stages before it are run if need be, and the split is kept in the store. Of a bare table
    it is printed, and kept with --out; the columns are found by their names (subject, site, labels, date, ...) or
    told by --columns. Exits with 1 where the split does not hold.
    """
    table = {n: v for n, v in options.items() if n in TableOptions.__dataclass_fields__}
    asked = {n: v for n, v in options.items() if n not in table}
    if not {".csv", ".tsv"} & set(path.suffixes[-2:]):
        if table or previous or out:
            raise ConfigError(
                "--columns, --labels, --negative, --previous and --out are for a CSV or TSV file"
            )
        overrides = assigned(assignments or []) | {f"split.{n}": v for n, v in asked.items()}
        overrides |= {} if workspace is None else {"workspace": str(workspace)}
        overrides |= {} if seed is None else {"seed": seed}
        run_until("split", Request(path, overrides, jobs, as_json))
        return
    if workspace or jobs or assignments:
        raise ConfigError("--workspace, --jobs and --set are for a config; a table is read alone")
    known = None if previous is None else read_exported(previous)
    split_asked, words = checked(SplitOptions, asked, "split"), checked(TableOptions, table, "table")
    _tell(split_rows(path, split_asked, seed=seed or 0, previous=known, table=words), out, as_json=as_json)


def _tell(done: Split, out: Path | None, *, as_json: bool) -> None:
    """Print a split, and keep it where that was asked for."""
    if out is not None:
        for one in (*outer_splits(done), done):
            for written in write_exports(out / one.id if one is not done else out, one):
                note(f"written: {from_here(written.absolute())}")
    show(json.loads(canonical_json(done)), _lines(done), as_json=as_json)
    is_safe = done.certificate is not None and done.certificate.holds
    if not is_safe or any(i.severity is Severity.REJECT for i in done.issues):
        raise typer.Exit(1)


def _lines(done: Split) -> Iterator[str]:
    present = [r for r in done.rows if r.is_present]
    yield f"Split {done.id} ({done.strategy}, seed {done.seed}):"
    for part in [*done.fractions, *sorted({r.partition for r in present} - set(done.fractions))]:
        rows = [r for r in present if r.partition == part]
        sites = len({r.site for r in rows if r.site})
        external = sum(r.is_external for r in rows)
        of = f", {external:,} of them from centres that are nowhere else" if external else ""
        yield f"  {part:<8} {len(rows):>8,} subjects, {sites} sites{of}"
    yield from certified(done)
    yield ""
    yield from done.notes
    for issue in done.issues:
        yield f"{(issue.severity or Severity.NOTE).value:<6}  {issue.rule}: {issue.message}"
