"""Divide the subjects into train, val and test, none in two of them."""

from __future__ import annotations

import typer

from isocenter.cli.flags import Request, run_flags
from isocenter.cli.running import run_until
from isocenter.stages.split.options import SplitOptions

app = typer.Typer(add_completion=False)


@app.command()
@run_flags(split=SplitOptions)
def split(request: Request) -> None:
    """Divide the subjects into train, val and test, none in two of them.

    Stages before it are run if need be.
    """
    run_until("split", request)
