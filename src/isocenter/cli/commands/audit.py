"""Check a split of any origin for leaks, and say with random labels what they are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from isocenter.augment.lint import is_understood, lint
from isocenter.base.errors import ConfigError
from isocenter.base.workspace import Workspace
from isocenter.cli.console import from_here, note, show
from isocenter.cli.drawing import drawn
from isocenter.cli.flags import AsJson, Jobs, Request, option_flags
from isocenter.cli.running import run_until
from isocenter.model.issue import Issue, Severity
from isocenter.pipeline.audit import audit as audit_of
from isocenter.pipeline.audit import ignoring
from isocenter.pipeline.audit_options import AuditOptions
from isocenter.pipeline.audit_record import document_of, keep_in_workspace, write_page
from isocenter.stages.audit.stage import Audit

app = typer.Typer(add_completion=False)

_EXAMPLES = 3
_ORDER = (Severity.REJECT, Severity.REVIEW, Severity.NOTE)


@app.command()
@option_flags(AuditOptions)
def audit(
    path: Annotated[
        Path,
        typer.Argument(
            help="A workspace or store; a CSV or TSV file of path, subject, partition; an nnU-Net folder or "
            "splits_final.json; a MONAI datalist; a BIDS tree; a cohort's config file (.yaml), which is run first.",
            show_default=True,
        ),
    ] = Path("work"),
    *,
    page: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write the audit as an HTML page, too.")
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="RULE=REASON", help="Leave out a rule, with the reason."),
    ] = None,
    augmentation: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead of a split, judge the augmentation that a Python, JSON or YAML file of nnU-Net, TorchIO or "
            "MONAI names; the file is never run.",
        ),
    ] = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
    options: dict[str, Any],
) -> None:
    """Check a split for leaks: ours, or somebody else's; or a foreign augmentation for what breaks our contract.

    Nobody, no study, no image and no likeness of one may be in two partitions. Exits with 1 where a leak was found.
    """
    if augmentation is not None:
        _judge(augmentation, as_json=as_json)
        return
    if path.suffix in {".yaml", ".yml"}:
        run_until("audit", Request(path, {}, jobs, as_json))
        return
    words = [word.partition("=") for word in ignore or []]
    if bad := [name for name, _, reason in words if not reason.strip()]:
        raise ConfigError(f"--ignore {bad[0]!r} needs its reason: RULE=REASON")
    rules = ignoring(path, {name: reason for name, _, reason in words}) if words else None
    with drawn() as progress:
        found = audit_of(path, **options, rules=rules, jobs=jobs, progress=progress)
    if (path / "store" / "cases.parquet").is_file():
        keep_in_workspace(found, Workspace(path))
    if page is not None:
        write_page(found, page, title="Leak audit")
        note(f"report: {from_here(page.absolute())}")
    show(document_of(found), lines_of(found), as_json=as_json)
    if not found.passed:
        raise typer.Exit(1)


def _judge(path: Path, *, as_json: bool) -> None:
    """Judge a foreign augmentation; exits with 1 where a line of it breaks the contract or is not understood."""
    found = lint(path)
    is_passed = not any(i.severity is Severity.REJECT or not is_understood(i) for i in found)
    show({"passed": is_passed, "issues": [asdict(i) for i in found]}, lines_of_lint(found), as_json=as_json)
    if not is_passed:
        raise typer.Exit(1)


def lines_of_lint(found: Sequence[Issue]) -> Iterator[str]:
    """What is seen of an augmentation, line by line of its file, and the verdict."""
    width = max((len(i.target) for i in found), default=0)
    for issue in found:
        limit = f", {issue.expected} {issue.unit}" if issue.expected and issue.unit else ""
        measured = f" ({issue.measured}{limit})" if issue.measured else ""
        yield f"{issue.target:<{width}}  {issue.severity or '':<6}  {issue.message}{measured}"
    n_broken = sum(i.severity is Severity.REJECT for i in found)
    n_dark = sum(i.severity is not Severity.REJECT and not is_understood(i) for i in found)
    n_open = len(found) - n_broken - n_dark
    verdict = [f"{n_broken} break{'s' * (n_broken == 1)} the contract of augmentation"] * bool(n_broken)
    verdict += [f"{n_dark} not understood"] * bool(n_dark)
    yield ""
    yield (
        f"FAILED: {'; '.join(verdict)}" if n_broken else f"NOT PASSED: {verdict[0]}" if n_dark else "passed"
    ) + (f"; {n_open} to be looked at" if n_open else "")


def lines_of(found: Audit) -> Iterator[str]:
    """An audit as lines: what every partition holds, what was seen by rule, and the verdict."""
    width = max((len(c.split) for c in found.counts), default=0)
    for c in found.counts:
        left = f", {c.left_out:,} left out" if c.left_out else ""
        yield (
            f"{c.split:<{width}}  {c.partition or 'no partition':<12}  {c.subjects:>6,} subjects, {c.sites:,} sites, "
            f"{c.images:,} images{left}"
        )
    yield from found.notes
    for severity in _ORDER:
        issues = [i for i in found.issues if i.severity is severity]
        for rule, n in sorted(Counter(i.rule for i in issues).items()):
            yield ""
            yield f"{severity.value:<6}  {rule}: {n:,} issue{'s' * (n != 1)}"
            yield from _examples([i for i in issues if i.rule == rule])
    if found.canary is not None:
        yield ""
        yield f"canary  {found.canary.summary}"
    yield ""
    if not found.passed:
        yield "FAILED: results on these partitions cannot be trusted"
    else:
        yield (
            "passed" if found.compared != 0 else "passed by names alone: none of the images could be compared"
        )


def _examples(issues: list[Issue]) -> Iterator[str]:
    for issue in issues[:_EXAMPLES]:
        more = [t for t in (issue.measured, issue.source) if t and t not in issue.message]
        where = f" ({'; '.join(more)})" if more else ""
        yield f"        {issue.target}{': ' * bool(issue.target)}{issue.message}{where}"
    if len(issues) > _EXAMPLES:
        yield f"        and {len(issues) - _EXAMPLES:,} more: --json has all of them"
