"""Compare every byte of a store with what was sealed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.console import show
from isocenter.cli.flags import AsJson
from isocenter.loading.open import open as open_store

app = typer.Typer(add_completion=False)


@app.command()
def verify(
    store: Annotated[Path, typer.Argument(help="Folder of a store, or a workspace that holds one.")] = Path(
        "work"
    ),
    *,
    as_json: AsJson = False,
) -> None:
    """Compare every byte of a store with what was sealed; exits with 1 where anything differs."""
    opened = open_store(store, verify="none")
    problems = opened.verify()
    lines = [f"{', '.join(n for n in (p.shard, p.case, p.array) if n)}: {p.what}" for p in problems]
    lines.append(f"{len(opened)} cases: " + (f"{len(problems)} problems" if problems else "all as sealed"))
    document = {"cases": len(opened), "problems": [asdict(p) for p in problems], "sealed": not problems}
    show(document, lines, as_json=as_json)
    if problems:
        raise typer.Exit(1)
