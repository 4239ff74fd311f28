"""Plan the cases: which images and annotations belong together."""

from __future__ import annotations

import typer

from isocenter.cli.flags import Request, run_flags
from isocenter.cli.running import run_until
from isocenter.stages.enrol.options import StoreOptions

app = typer.Typer(add_completion=False)


@app.command()
@run_flags(store=StoreOptions)
def enrol(request: Request) -> None:
    """Plan the cases: which images and annotations belong together.

    Nothing is decoded. Stages before it are run if need be.
    """
    run_until("enrol", request)
