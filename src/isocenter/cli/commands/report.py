"""Write the report: one HTML page that opens offline."""

from __future__ import annotations

import typer

from isocenter.cli.flags import Request, run_flags
from isocenter.cli.running import run_until

app = typer.Typer(add_completion=False)


@app.command()
@run_flags()
def report(request: Request) -> None:
    """Write the report: one HTML page that opens offline.

    Stages before it are run if need be.
    """
    run_until("report", request)
