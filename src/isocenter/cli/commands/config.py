"""Make, check and show a cohort's config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from isocenter.base.documents import yaml_text
from isocenter.base.errors import ConfigError
from isocenter.base.files import write_text
from isocenter.cli.console import from_here, note, show
from isocenter.cli.flags import AsJson, Assignments, ConfigFile, assigned
from isocenter.model.task import Task
from isocenter.pipeline.config import as_document, load, schema
from isocenter.pipeline.config_init import starter_for

app = typer.Typer(help="Make, check and show a cohort's config.", no_args_is_help=True, add_completion=False)


@app.command()
def init(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders to look at, one per centre; tables may follow.")
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("cohort.yaml"),
    task: Annotated[
        Task | None, typer.Option("--task", help="What is to be learned, if not what is found first.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at folders and write a commented config that runs."""
    if output.exists() and not force:
        raise ConfigError(f"{output.name} is there already; --force replaces it, --output names another")
    kind, text = starter_for(folders, output, task=task)
    write_text(output, text)
    where = from_here(output.absolute())
    lines = [f"{where}: {kind}", f"Look through it, then: isocenter config check {where}"]
    show({"kind": kind, "path": where}, lines, as_json=as_json)


@app.command()
def check(
    config: ConfigFile = Path("cohort.yaml"), *, assignments: Assignments = None, as_json: AsJson = False
) -> None:
    """Tell everything that is wrong with a config at once, with its line and what may have been meant."""
    read = load(config, overrides=assigned(assignments or []))
    labels = ", ".join(f"{name} = {label.value}" for name, label in read.labels.items())
    channels = ", ".join(f"{name} ({channel.modality})" for name, channel in read.channels.items())
    lines = [
        f"{config.name}: ok",
        f"{read.task} of {labels}",
        f"from {channels} in {len(read.sources)} folder{'s'[: len(read.sources) != 1]}",
    ]
    document = {"ok": True, "task": read.task, "labels": list(read.labels), "channels": list(read.channels)}
    show(document, lines, as_json=as_json)


@app.command(name="show")
def show_config(
    config: ConfigFile = Path("cohort.yaml"), *, assignments: Assignments = None, as_json: AsJson = False
) -> None:
    """Print the config as it would be run: defaults filled in, flags and variables put in."""
    document = as_document(load(config, overrides=assigned(assignments or [])))
    show(document, yaml_text(document).splitlines(), as_json=as_json)


@app.command(name="schema")
def show_schema(
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write it to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the JSON schema of cohort.yaml, for editors that check and complete."""
    del as_json  # it is JSON in any case
    if output is None:
        show(schema(), [], as_json=True)
        return
    write_text(output, json.dumps(schema(), indent=2) + "\n")
    note(f"To use it, begin cohort.yaml with:  # yaml-language-server: $schema={output.as_posix()}")
