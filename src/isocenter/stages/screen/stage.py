"""Screen: the gate after the index: header rules on every stack that the cohort asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from isocenter import __version__
from isocenter.base import tables
from isocenter.base.progress import Progress, follow
from isocenter.base.workspace import Workspace
from isocenter.model.issue import Issue, Severity, Verdict, verdict_of
from isocenter.model.rows import FileRow, Series, Stack, VerdictRow
from isocenter.model.task import Channel
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.screen.asked import as_wanted, asked_for

STAGE = "screen"
VERSION = 3
# Rules of this family say what an image is, not that it is broken: they never stop a run.
_NO_DEFECT = "content/"


@dataclass(slots=True)
class _Screened:
    verdicts: list[VerdictRow] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    wanted: int = 0
    defective: int = 0


def screen(
    options: ScreenOptions,
    channels: Mapping[str, Channel],
    masks: Sequence[str],
    workspace: Workspace,
    *,
    progress: Progress,
) -> dict[str, int]:
    """Judge every stack that a channel asks for, by the rules of scope Series and Stack.

    Args:
        options: Selection, severities and options of the rules.
        channels: What the cohort asks for.
        masks: Path templates of files that are masks, and so no images.
        workspace: Where the index is read and the verdicts are written.
        progress: Called after every stack.

    Returns:
        Counts: stacks, wanted, keep, review, reject, defective.
    """
    inputs = workspace.done("index")
    form = tables.form_of(VerdictRow, Issue)
    engine = Engine(options)
    code = [__version__, form, engine.form]
    key = workspace.key_of(STAGE, VERSION, code, options, channels, masks, inputs and inputs["digest"])
    if workspace.is_fresh(STAGE, key):
        return dict(workspace.done(STAGE)["counts"])  # type: ignore[index]
    folder = workspace.start(STAGE)
    found = _screen_all(engine, channels, masks, workspace, progress)
    tables.write(folder / "verdicts.parquet", VerdictRow, found.verdicts)
    tables.write(folder / "issues.parquet", Issue, found.issues)
    verdicts = Counter(v.verdict for v in found.verdicts if v.channels)
    counts = {
        "stacks": len(found.verdicts),
        "wanted": found.wanted,
        **{v.value: verdicts[v.value] for v in Verdict},
        "defective": found.defective,
    }
    workspace.finish(STAGE, key, counts=counts, digest=key)
    return counts


def _screen_all(
    engine: Engine,
    channels: Mapping[str, Channel],
    masks: Sequence[str],
    workspace: Workspace,
    progress: Progress,
) -> _Screened:
    paths = {f.file_id: f.path for f in tables.read(workspace.table("index", "files"), FileRow)}
    stacks = list(tables.read(workspace.table("index", "stacks"), Stack))
    asked = {s.id: asked_for(s, paths[s.files[0]], channels, masks) for s in stacks}
    judged = {s.series for s in stacks if asked[s.id].is_judged}
    series = {
        s.id: engine.check(s)
        for s in tables.read(workspace.table("index", "series"), Series)
        if s.id in judged
    }
    raised: dict[str, list[Issue]] = {}
    for issue in tables.read(workspace.table("index", "issues"), Issue):
        raised.setdefault(issue.target, []).append(issue)
    out = _Screened()
    for stack in follow(stacks, progress, stage=STAGE, total=len(stacks), unit="stacks"):
        ask = asked[stack.id]
        if not ask.is_judged:
            reason = "enrol/annotation-of-nothing" if ask.is_mask else "enrol/not-wanted"
            out.verdicts.append(VerdictRow(target=stack.id, verdict=Verdict.REJECT, reason=reason))
            continue
        issues = engine.check(as_wanted(stack, channels, ask.channels))
        everything = [*raised.get(stack.id, []), *issues, *series[stack.series]]
        out.issues += [replace(i, target=stack.id) for i in series[stack.series]] + issues
        verdict = verdict_of(everything)
        out.verdicts.append(
            VerdictRow(
                target=stack.id,
                verdict=verdict,
                reason=_deciding(everything, verdict),
                channels=ask.channels,
            )
        )
        out.wanted += bool(ask.channels)
        out.defective += bool(ask.channels) and any(
            i.severity is Severity.REJECT and not i.rule.startswith(_NO_DEFECT) for i in everything
        )
    return out


def _deciding(issues: list[Issue], verdict: Verdict) -> str:
    return next((i.rule for i in issues if i.severity is not None and i.severity.value == verdict.value), "")
