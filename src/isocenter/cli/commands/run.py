"""Do it all: from folders to a packed data set and its report."""

from __future__ import annotations

import typer

from isocenter.cli.flags import Request, run_flags
from isocenter.cli.running import run_until

app = typer.Typer(add_completion=False)


@app.command()
@run_flags(dry_run=True)
def run(request: Request) -> None:
    """Do it all: from folders to a packed data set and its report.

    The stages are index, screen, enrol, build, split and report. What an earlier run finished with the same
    inputs and options is not done again.
    """
    run_until("report", request)
