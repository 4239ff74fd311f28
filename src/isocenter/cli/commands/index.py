"""List every file: what it is, whose it is, which series and stacks there are."""

from __future__ import annotations

import typer

from isocenter.cli.flags import Request, run_flags
from isocenter.cli.running import run_until

app = typer.Typer(add_completion=False)


@app.command()
@run_flags()
def index(request: Request) -> None:
    """List every file: what it is, whose it is, which series and stacks there are.

    Headers are read, pixels are not.
    """
    run_until("index", request)
