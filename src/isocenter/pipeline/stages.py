"""The stages of a run, wired: which options each is given, and what it makes of the workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from isocenter import __version__, report
from isocenter.agreement.consensus import METHODS
from isocenter.base import tables
from isocenter.base.digests import digest_of, digest_of_file
from isocenter.base.progress import Progress
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import Executor
from isocenter.imaging.windows import WINDOWS
from isocenter.loading.selection import FOLD
from isocenter.model.issue import Issue
from isocenter.model.task import TaskContract
from isocenter.pipeline.audit import audit_at
from isocenter.pipeline.audit_options import AuditOptions
from isocenter.pipeline.audit_record import write_tables
from isocenter.pipeline.config import CohortConfig
from isocenter.pipeline.policies import weighed
from isocenter.pipeline.split_files import write_exports
from isocenter.pipeline.split_workspace import linked_files, split_workspace
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.build.options import BuildOptions, recipe_of
from isocenter.stages.build.stage import build
from isocenter.stages.enrol.options import AnnotationKind, EnrolOptions
from isocenter.stages.enrol.stage import enrol
from isocenter.stages.index.options import IndexOptions
from isocenter.stages.index.stage import index
from isocenter.stages.screen.stage import screen
from isocenter.stages.split.outer import outer_splits
from isocenter.stores.chunks import chunk_for
from isocenter.stores.splits import drop_splits, read_split, split_names, write_split

STAGES = ("index", "screen", "enrol", "build", "split", "audit", "report")
_SPLIT_VERSION = 3
_AUDIT_VERSION = 1


@dataclass(slots=True, kw_only=True)
class Context:
    """What every stage of one run shares."""

    config: CohortConfig
    contract: TaskContract
    workspace: Workspace
    executor: Executor
    jobs: int
    progress: Progress
    gate: str = ""

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders of the sources."""
        return tuple(Path(s.path) for s in self.config.sources)


def rules_of(context: Context, *, is_split: bool = False) -> ScreenOptions:
    """What is said of the rules on images and cases, or of those on splits: a change of the one is none of the other.

    Limits that are the config's own are the rules' too, unless a rule was given its own.
    """
    config = context.config
    limits = (
        {"split/too-few-external-subjects": {"min_share": config.split.min_external_share}}
        if is_split
        else {
            "annotation/low-agreement": {
                "min_dice": config.agreement.min_dice,
                "min_f1": config.agreement.min_f1,
            }
        }
    )
    said = weighed(config.screen, config.standardise)

    def is_ours(name: str) -> bool:
        return name == "all" or (name.partition("/")[0] == "split") is is_split

    options = {n: o for n, o in said.options.items() if is_ours(n)}
    return ScreenOptions(
        select=tuple(n for n in said.select if is_ours(n)),
        ignore={n: r for n, r in said.ignore.items() if is_ours(n)},
        severity={n: v for n, v in said.severity.items() if is_ours(n)},
        options=options | {n: {**own, **options.get(n, {})} for n, own in limits.items()},
    )


def masks_of(config: CohortConfig) -> list[str]:
    """Path templates of files that are masks, and so no images."""
    return [s.path for s in config.annotations if s.kind is AnnotationKind.MASKS]


def run_stage(name: str, context: Context) -> Mapping[str, int]:
    """Run one stage by its name; returns its counts."""
    return _WIRED[name](context)


def forget_after(name: str, workspace: Workspace) -> None:
    """Take away the tables of later stages: they speak of what an earlier run had found.

    Packed shards stay, so that cases which come back unchanged are not built again; so does what the first
    plan froze.
    """
    for stage in STAGES[STAGES.index(name) + 1 : -1]:
        folder = workspace.root / stage
        (folder / "done.json").unlink(missing_ok=True)
        for table in sorted(folder.glob("*.parquet")):
            table.unlink()


def _index(context: Context) -> Mapping[str, int]:
    return index(
        IndexOptions(sources=context.config.sources, reading=context.config.reading),
        context.workspace,
        base=Path(),
        executor=context.executor,
        jobs=context.jobs,
        progress=context.progress,
    )


def _screen(context: Context) -> Mapping[str, int]:
    return screen(
        rules_of(context),
        context.contract.stored().channels,
        masks_of(context.config),
        context.workspace,
        progress=context.progress,
    )


def _enrol(context: Context) -> Mapping[str, int]:
    config = context.config
    rules = rules_of(context)
    code = [__version__, Engine(rules).form, METHODS.form([config.agreement.method])]
    recipe = digest_of([code, recipe_of(build_options(context)), rules])
    return enrol(
        EnrolOptions(
            contract=context.contract.stored(),  # words for loading make no other plan
            annotations=config.annotations,
            unit=config.unit,
            store=config.store,
            spacing=config.standardise.spacing,
            recipe=recipe,
            pet=config.standardise.pet.value,
        ),
        context.workspace,
        base=Path(),
        held_out=_held_out(context),
        max_case_bytes=config.standardise.max_case_bytes,
        roots=context.roots,
    )


def _held_out(context: Context) -> set[str]:
    """Subjects that an earlier split keeps out of training."""
    store, name = context.workspace.store, context.config.split.name
    if name not in split_names(store):
        return set()
    rows = read_split(store, name).rows
    return {r.subject for r in rows if r.partition != "train" and not r.partition.startswith(FOLD)}


def build_options(context: Context) -> BuildOptions:
    """What the build stage is told."""
    config = context.config
    rater = config.agreement.rater and context.workspace.pseudonyms().of("rat", config.agreement.rater)
    return BuildOptions(
        name=config.name,
        contract=context.contract,
        standardise=config.standardise,
        agreement=replace(config.agreement, rater=rater),
        screen=rules_of(context),
        backend=config.store.backend,
        chunk=config.store.chunk or chunk_for(config.store.patch),
    )


def _build(context: Context) -> Mapping[str, int]:
    return build(
        build_options(context),
        context.workspace,
        roots=context.roots,
        executor=context.executor,
        jobs=context.jobs,
        progress=context.progress,
    )


def _split(context: Context) -> Mapping[str, int]:
    """Divide the packed cases; the split lives in the store, its issues in the workspace."""
    config, workspace = context.config, context.workspace
    cases_file = workspace.store / "cases.parquet"
    options = config.split
    rules = rules_of(context, is_split=True)
    engine = Engine(rules)
    code = [__version__, engine.form]
    inputs = [cases_file, *(p for p in linked_files(workspace, options) if p.is_file())]
    key = workspace.key_of(
        "split", _SPLIT_VERSION, code, options, config.seed, rules, [digest_of_file(p) for p in inputs]
    )
    names = split_names(workspace.store)
    if workspace.is_fresh("split", key) and options.name in names:
        return dict((workspace.done("split") or {})["counts"])
    folder = workspace.start("split")
    previous = read_split(workspace.store, options.name) if options.name in names else None
    made = split_workspace(
        workspace,
        options,
        seed=config.seed,
        previous=previous,
        engine=engine,
        jobs=context.jobs,
        progress=context.progress,
    )
    write_split(workspace.store, options.name, made)
    outer = outer_splits(made)
    drop_splits(workspace.store, [n for n in names if n.startswith(f"{options.name}-outer-")])
    for fold in outer:
        write_split(workspace.store, fold.id, fold)
    tables.write(folder / "issues.parquet", Issue, made.issues)
    write_exports(folder, made)
    present = [r for r in made.rows if r.is_present]
    counts = {
        "subjects": len(present),
        **{p: sum(r.partition == p for r in present) for p in (made.fractions or ("train", "val", "test"))},
        "external": sum(r.is_external for r in present),
        "issues": len(made.issues),
    }
    workspace.finish("split", key, counts=counts)
    return counts


def _audit(context: Context) -> Mapping[str, int]:
    """Look for leaks in every split of the store, as `isocenter audit` does."""
    workspace, rules = context.workspace, rules_of(context, is_split=True)
    tables_read = [workspace.root / "enrol/cases.parquet", workspace.root / "build/descriptors.parquet"]
    inputs = [workspace.store / "cases.parquet", *(t for t in tables_read if t.exists())]
    inputs += sorted(
        [*(workspace.store / "splits").glob("*.json"), *(workspace.store / "fitted").glob("*.json")]
    )
    code = [__version__, Engine(rules).form]
    key = workspace.key_of("audit", _AUDIT_VERSION, code, rules, [digest_of_file(p) for p in inputs])
    if workspace.is_fresh("audit", key):
        return dict((workspace.done("audit") or {})["counts"])
    found = audit_at(
        workspace.root, AuditOptions(), rules=rules, jobs=context.jobs, progress=context.progress
    )
    return write_tables(found, workspace, key)


def _write_report(context: Context) -> Mapping[str, int]:
    """Write the page, unless nothing that it shows has changed."""
    workspace, contract = context.workspace, context.contract
    marks = [workspace.done(s) for s in STAGES[:-1]]
    limits = context.config.agreement.min_dice, context.config.agreement.min_f1
    key = workspace.key_of("report", 1, __version__, marks, contract, context.gate, limits)
    if workspace.is_fresh("report", key) and workspace.report.exists():
        return {}
    shown = {n: WINDOWS[c.windows[0]] for n, c in contract.channels.items() if c.windows}
    workspace.start("report")
    report.write_report(
        workspace,
        title=context.config.name,
        contract=contract,
        windows=shown,
        min_dice=context.config.agreement.min_dice,
        min_f1=context.config.agreement.min_f1,
        gate=context.gate,
    )
    workspace.finish("report", key, counts={})
    return {}


_WIRED: dict[str, Callable[[Context], Mapping[str, int]]] = {
    "index": _index,
    "screen": _screen,
    "enrol": _enrol,
    "build": _build,
    "split": _split,
    "audit": _audit,
    "report": _write_report,
}
