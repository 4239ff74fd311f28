"""Read, standardise and pack the planned cases into the store."""

from __future__ import annotations

import typer

from isocenter.cli.flags import Request, run_flags
from isocenter.cli.running import run_until
from isocenter.stages.build.options import AgreementOptions, Standardise

app = typer.Typer(add_completion=False)


@app.command()
@run_flags(dry_run=True, standardise=Standardise, agreement=AgreementOptions)
def build(request: Request) -> None:
    """Read, standardise and pack the planned cases into the store.

    Every voxel is read once and written once. Stages before it are run if need be.
    """
    run_until("build", request)
