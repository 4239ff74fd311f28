"""Check series and stacks against the rules, before anything is decoded."""

from __future__ import annotations

import typer

from isocenter.cli.flags import Request, run_flags
from isocenter.cli.running import run_until
from isocenter.rules.select import ScreenOptions

app = typer.Typer(add_completion=False)


@app.command()
@run_flags(screen=ScreenOptions)
def screen(request: Request) -> None:
    """Check series and stacks against the rules, before anything is decoded.

    Each thing is kept, kept for review, or rejected, with the reason. Stages before it are run if need be.
    """
    run_until("screen", request)
