"""The cases that wait for a person: list them, accept them, reject them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from isocenter.cli.console import from_here, show
from isocenter.cli.flags import AsJson, InWorkspace
from isocenter.model.decision import Decision, Word
from isocenter.model.rows import AgreementRow
from isocenter.pipeline.review import Waiting, decide
from isocenter.pipeline.review import review as waiting_in

_PAIRS = 6

Cases = Annotated[list[str], typer.Argument(help="Ids of the cases, as the list has them.")]
Why = Annotated[str, typer.Option("--because", help="The reason; it is kept with the decision.")]
By = Annotated[str, typer.Option("--by", help="Who decides; the name of the account by default.")]


class _ListOrDecide(TyperGroup):
    """`isocenter review` lists: the word may be left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the word that was left out."""
        is_asked_for_help = args[:1] == ["--help"]
        if not is_asked_for_help and (not args or args[0] not in self.commands):
            args = ["list", *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(
    cls=_ListOrDecide,
    help="The cases that wait for a person: list them with the reason, accept them, reject them.",
    add_completion=False,
)


@app.command(name="list")
def list_cases(*, workspace: InWorkspace = Path("work"), as_json: AsJson = False) -> None:
    """List the cases that wait for a person, why, and what was decided so far."""
    found = waiting_in(workspace)
    show([asdict(w) for w in found], lines_of(found, workspace), as_json=as_json)


@app.command()
def accept(
    cases: Cases,
    *,
    because: Why,
    by: By = "",
    workspace: InWorkspace = Path("work"),
    as_json: AsJson = False,
) -> None:
    """Accept cases as they are packed, with the consensus they have; the next run takes them in."""
    _decide(workspace, cases, Word.ACCEPT, because, by, as_json=as_json)


@app.command()
def reject(
    cases: Cases,
    *,
    because: Why,
    by: By = "",
    workspace: InWorkspace = Path("work"),
    as_json: AsJson = False,
) -> None:
    """Reject cases; the next run takes them out of the store."""
    _decide(workspace, cases, Word.REJECT, because, by, as_json=as_json)


@app.command()
def reopen(
    cases: Cases,
    *,
    because: Why,
    by: By = "",
    workspace: InWorkspace = Path("work"),
    as_json: AsJson = False,
) -> None:
    """Take back what was decided on cases."""
    _decide(workspace, cases, Word.REOPEN, because, by, as_json=as_json)


def _decide(
    workspace: Path, cases: Sequence[str], word: Word, because: str, by: str, *, as_json: bool
) -> None:
    made = decide(workspace, cases, word, why=because, by=by)
    show([asdict(d) for d in made], _said(made), as_json=as_json)


def _said(made: Sequence[Decision]) -> Iterator[str]:
    yield from (f"{d.case}: {d.word}, by {d.by}" for d in made)
    yield "The next run acts on it: isocenter run CONFIG"


def lines_of(found: Sequence[Waiting], workspace: Path) -> Iterator[str]:
    """The list as lines: what waits first, and at the end how to decide on it."""
    for row in sorted(found, key=lambda w: (w.state != "waiting", w.case)):
        at = f", {row.site}" if row.site else ""
        yield f"{row.case} ({row.subject}{at}): {row.state}{', acted upon by the next run' if row.is_new else ''}"
        if row.decision is not None:
            yield f"  {row.decision.word} by {row.decision.by}, {row.decision.at}: {row.decision.why}"
        yield from (f"  {i.rule}: {i.message}" for i in row.issues)
        yield from (f"    {_pair(p)}" for p in row.agreements[:_PAIRS])
        if len(row.agreements) > _PAIRS:
            yield f"    and {len(row.agreements) - _PAIRS} more pairs of raters"
        held = [f"{s.label} {s.volume_ml:.2f} ml" for s in row.labels if s.volume_ml]
        held += [f"{s.count} of {s.label}" for s in row.labels if s.count and not s.volume_ml]
        if row.labels:
            yield f"  the consensus that is packed: {', '.join(held) or 'nothing of any label'}"
    waiting = [w for w in found if w.state == "waiting"]
    yield f"{len(waiting)} to review, {len(found) - len(waiting)} decided"
    if first := next((w for w in waiting if not w.is_to_choose), None):
        command = f'isocenter review accept {first.case} --workspace {from_here(workspace)} --because "..."'
        yield f"Look at it in the gallery of the report, then: {command}"


def _pair(pair: AgreementRow) -> str:
    measures = (("Dice", pair.dice), ("F1", pair.f1))
    told = ", ".join(f"{name} {value:.3f}" for name, value in measures if value is not None) or "both nothing"
    volumes = f"{pair.volume_a_ml:.2f} ml and {pair.volume_b_ml:.2f} ml"
    return f"{pair.label}, {pair.rater_a} and {pair.rater_b}: {told} ({volumes})"
