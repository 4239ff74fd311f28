"""Check series and stacks against the rules, before anything is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import typer

from isocenter.cli.console import note, show, show_table
from isocenter.cli.flags import Request, run_flags
from isocenter.cli.running import config_of, leave_at_gate, run_to, run_until
from isocenter.pipeline.costs import costs_of
from isocenter.rules.select import ScreenOptions
from isocenter.stages.screen.costs import Costs

app = typer.Typer(add_completion=False)

_COLUMNS = ("rule", "now", "stacks", "share", "stacks by it alone", "cases by it alone", "manufacturers")
_SHOWN = 4


@app.command()
@run_flags(dry_run=True, screen=ScreenOptions)
def screen(request: Request) -> None:
    """Check series and stacks against the rules, before anything is decoded.

    Each thing is kept, kept for review, or rejected, with the reason. Stages before it are run if need be. With
    --dry-run it judges nothing, and tells what each rule takes, or would take if it rejected.
    """
    if not request.dry_run:
        run_until("screen", request)
        return
    done = run_to("index", request)
    if done.gate:
        note(f"Stopped: {done.gate}")
        leave_at_gate(done)
    told = costs_of(config_of(request))
    if request.as_json:
        show(asdict(told), [], as_json=True)
        return
    show({}, _head(told), as_json=False)
    if told.rules:
        show_table(_COLUMNS, _rows(told))


def _head(told: Costs) -> Iterator[str]:
    yield f"{told.stacks} stacks are asked for, of {told.cases} cases (subjects at a date) before any rule."
    if told.rules:
        yield (
            "By it alone: what no other rule rejects; lost now if the rule says reject, and lost if it did else."
        )
        yield ""
    else:
        yield "No rule sees anything on them."


def _rows(told: Costs) -> Iterator[tuple[str, ...]]:
    for cost in told.rules:
        makers = [f"{name} {count}" for name, count in cost.manufacturers.items()]
        more = [f"others {len(makers) - _SHOWN}"] if len(makers) > _SHOWN else []
        yield (
            cost.rule,
            cost.severity,
            str(cost.stacks),
            f"{cost.share:.1%}",
            str(cost.only_stacks),
            str(cost.only_cases),
            ", ".join(makers[:_SHOWN] + more),
        )
