"""Run: index, screen, enrol, build, split, report, in this order, skipping what is fresh."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from isocenter import __version__
from isocenter.base import tables
from isocenter.base.digests import digest_of
from isocenter.base.documents import write_yaml
from isocenter.base.errors import ConfigError, IsocenterError
from isocenter.base.files import write_atomically, write_json
from isocenter.base.progress import Progress, silent
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import EXECUTORS
from isocenter.model.rows import FileOutcome
from isocenter.pipeline.account import account
from isocenter.pipeline.config import CohortConfig, as_document, contract_of, load
from isocenter.pipeline.forecast import forecast_of
from isocenter.pipeline.gates import gate_after
from isocenter.pipeline.stages import STAGES, Context, forget_after, run_stage
from isocenter.pipeline.summary import summarise


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What one stage did; `state` is "done", or "fresh" where nothing had changed since it last ran."""

    name: str
    state: str
    seconds: float
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run came to.

    Args:
        workspace: The folder of tables, store and report.
        stages: What each stage did.
        counts: Files by state, cases by verdict, and the like.
        store: The packed data set, where one was sealed.
        report: The report page, where one was written.
        gate: Which gate closed and what would open it; None where none did.
        summary: Closing sentences for a person.
    """

    workspace: Path
    stages: tuple[StageResult, ...]
    counts: dict[str, int]
    store: Path | None = None
    report: Path | None = None
    gate: str | None = None
    summary: tuple[str, ...] = field(default=())

    @property
    def is_fresh(self) -> bool:
        """Whether nothing had to be done."""
        return bool(self.stages) and all(s.state == "fresh" for s in self.stages)


def run(
    config: str | os.PathLike[str] | CohortConfig,
    *,
    workspace: str | os.PathLike[str] | None = None,
    until: str = "report",
    jobs: int | None = None,
    seed: int | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Run a cohort's stages in order; a stage whose inputs and options are unchanged is not run again.

    Args:
        config: Path of a cohort.yaml, or a config that was loaded.
        workspace: Folder to work in; the config's by default.
        until: Last stage to run: index, screen, enrol, build, split, audit or report.
        jobs: How many processes at once; the config's by default.
        seed: Seed of all lots; the config's by default.
        dry_run: Make the plan and the forecast, build nothing.
        progress: Called as the work goes on.

    Returns:
        What came of it; a gate that closed is told in `gate`, not raised.

    Raises:
        ConfigError: the config is wrong.
        RunError: another run holds the workspace, or a worker was killed.
    """
    if until not in STAGES:
        raise ConfigError(f"until must be one of {', '.join(STAGES)}")
    known = config if isinstance(config, CohortConfig) else load(Path(config))
    if seed is not None:
        known = replace(known, seed=seed)
    if workspace is not None:
        known = replace(known, workspace=str(Path(workspace).absolute()))
    place = Workspace(Path(known.workspace))
    with place.lock():
        _take_key(known, place)
        return _run(known, place, until, jobs, progress or silent, dry_run=dry_run)


def _take_key(config: CohortConfig, workspace: Workspace) -> None:
    """Use the pseudonyms of another workspace: the key is copied before the first name is made."""
    target = workspace.root / "secret.key"
    if not config.key:
        return
    if target.exists():
        if target.read_bytes() != Path(config.key).read_bytes():
            raise ConfigError("key: this workspace was begun with another key; use a new workspace")
        return
    write_atomically(target, lambda path: _copy_key(Path(config.key), path))


def _copy_key(source: Path, target: Path) -> None:
    """Copy a key to a file that nobody else could read at any moment."""
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(source.read_bytes())


def _run(
    config: CohortConfig,
    workspace: Workspace,
    until: str,
    jobs: int | None,
    progress: Progress,
    *,
    dry_run: bool,
) -> Run:
    contract = contract_of(config)
    context = Context(
        config=config,
        contract=contract,
        workspace=workspace,
        executor=EXECUTORS.get(config.executor.kind),
        jobs=jobs or config.executor.jobs or os.cpu_count() or 1,
        progress=progress,
    )
    workspace.log.write("run", version=__version__, until=until, config=_config_digest(config))
    last = "enrol" if dry_run and STAGES.index(until) > STAGES.index("enrol") else until
    done, gate = _run_stages(STAGES[: STAGES.index(last) + 1], context)
    if gate is not None or any(s.state == "done" for s in done):
        forget_after(done[-1].name, workspace)
    outcomes = _record(config, workspace, done, gate)
    report = None
    if last == "report":
        context.gate = gate or ""
        done.append(_timed("report", context))
        report = workspace.report
    is_sealed = workspace.done("build") is not None and (workspace.store / "manifest.json").exists()
    counts, summary = summarise(context, outcomes, done, gate, is_dry=dry_run)
    return Run(
        workspace=workspace.root,
        stages=tuple(done),
        counts=counts,
        store=workspace.store if is_sealed else None,
        report=report,
        gate=gate,
        summary=summary,
    )


def _run_stages(names: Sequence[str], context: Context) -> tuple[list[StageResult], str | None]:
    """Run stages in order until a gate closes; the report is no part of it, since it tells of the gate."""
    done: list[StageResult] = []
    for name in (n for n in names if n != "report"):
        done.append(_timed(name, context))
        gate = gate_after(name, context)
        context.workspace.log.write(
            "stage", stage=name, counts=dict(done[-1].counts), state=done[-1].state, gate=gate is not None
        )
        if gate is not None:
            return done, gate
    return done, None


def _record(
    config: CohortConfig, workspace: Workspace, done: list[StageResult], gate: str | None
) -> list[FileOutcome]:
    """Write down what was run, and the one state of every file; what is the same as before stays untouched."""
    _write_if_new(workspace.config, lambda path: write_yaml(path, _as_run(config, workspace)))
    _write_if_new(workspace.root / "run.json", lambda path: write_json(path, _provenance(config, done, gate)))
    outcomes = account(workspace)
    table = workspace.stage("build") / "files.parquet"
    _write_if_new(table, lambda path: tables.write(path, FileOutcome, outcomes))
    return outcomes


def _write_if_new(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file under another name first; it takes its place only where it says something else."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        write(fresh)
        if not path.exists() or path.read_bytes() != fresh.read_bytes():
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _timed(name: str, context: Context) -> StageResult:
    mark = context.workspace.root / name / "done.json"
    before = mark.stat().st_mtime_ns if mark.exists() else None
    start = time.monotonic()
    try:
        counts = run_stage(name, context)
    except IsocenterError:
        raise
    except Exception as error:
        context.workspace.log.crash(error)
        raise
    is_fresh = before is not None and mark.stat().st_mtime_ns == before
    return StageResult(
        name=name,
        state="fresh" if is_fresh else "done",
        seconds=round(time.monotonic() - start, 3),
        counts=counts,
        notes=forecast_of(context).lines() if name == "enrol" and not is_fresh else (),
    )


def _config_digest(config: CohortConfig) -> str:
    """Digest of what the result depends on: not where it is worked on, nor by how many."""
    document = as_document(replace(config, workspace=config.sources[0].path))
    return digest_of({k: v for k, v in document.items() if k not in {"executor", "workspace", "key"}})


def _as_run(config: CohortConfig, workspace: Workspace) -> dict[str, object]:
    """The config with what the first plan froze: the number of shards."""
    enrol = workspace.done("enrol")
    shards = enrol["shards"] if enrol else config.store.shards
    return as_document(replace(config, store=replace(config.store, shards=shards)))


def _provenance(config: CohortConfig, done: list[StageResult], gate: str | None) -> dict[str, object]:
    return {
        "isocenter": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "seed": config.seed,
        "name": config.name,
        "config_digest": _config_digest(config),
        "gate": gate or "",
        "stages": {r.name: {k: v for k, v in r.counts.items() if k not in _WORK_COUNTS} for r in done},
    }


# Counts of work done, not of what there is: they differ between a first and a second run.
_WORK_COUNTS = {"scanned", "reused", "built", "kept", "crashes"}
