"""Say what this machine has: versions, extras, disk, cores, memory."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from isocenter.cli.console import show, show_table
from isocenter.cli.flags import AsJson, InWorkspace
from isocenter.pipeline.doctor import examine

app = typer.Typer(add_completion=False)


@app.command()
def doctor(*, workspace: InWorkspace = Path("work"), as_json: AsJson = False) -> None:
    """Say what this machine has, and what is missing; exits with 1 where isocenter could not work."""
    facts = examine(workspace)
    if as_json:
        show([asdict(f) for f in facts], [], as_json=True)
    else:
        show_table(
            ("what", "found", "state", "advice"), [(f.name, f.value, f.state, f.advice) for f in facts]
        )
    if any(f.state == "broken" for f in facts):
        raise typer.Exit(1)
