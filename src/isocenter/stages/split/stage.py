"""Split: put every subject in one partition, for good, and say how well that came out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from isocenter.base.errors import RunError
from isocenter.model.certificate import Certificate
from isocenter.model.split import RESERVE, Partition, Split, SplitRow, Way
from isocenter.rules.engine import Engine
from isocenter.stages.split.certificate import certify
from isocenter.stages.split.notes import notes_on
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.places import Kept, keep_places
from isocenter.stages.split.strategy import STRATEGIES
from isocenter.stages.split.units import asked_for
from isocenter.stages.split.ways import nobody_placed, notes_on_ways, settle, way_of, ways_of


def split(
    rows: Sequence[SplitRow],
    options: SplitOptions,
    *,
    seed: int,
    previous: Split | None = None,
    engine: Engine | None = None,
) -> Split:
    """Divide subjects into train, val and test.

    With `append_only`, subjects keep the place that an earlier split gave them, also while none of their
    cases is here; the split says which options put them there, and states the options asked for now as its
    own only if they placed somebody. With the strategies auto and given, others keep the partition that
    their source gave them. All others are put around those.

    Args:
        rows: Subjects in any order; rows of one subject are merged, `group` names what stays together.
        options: Strategy, fractions and what is balanced.
        seed: Of all lots.
        previous: An earlier split of the same data set.
        engine: Runs the rules on the result.

    Raises:
        UnknownPlugin: there is no such strategy.
        ConfigError: the strategy cannot work on these rows.
    """
    earlier = _settled(previous, options)
    is_locked = options.lock_test and any(r.partition == Partition.TEST for r in earlier.values())
    kept = keep_places(rows, earlier, use_given=options.strategy in {"auto", "given"}, is_locked=is_locked)
    name = _strategy(options, kept)
    done = STRATEGIES.get(name).assign(
        kept.rows, options=_without_test(options) if is_locked else options, seed=seed
    )
    placed = [
        replace(r, partition=done.partitions.get(r.subject, ""), inner=done.inner.get(r.subject, ()))
        for r in kept.rows
    ]
    _check(name, kept.rows, placed)
    here = {r.subject for r in placed}
    absent = [replace(r, is_present=False, cases=()) for s, r in sorted(earlier.items()) if s not in here]
    now = own = way_of(options, name, seed, done.fractions)
    ways: tuple[Way, ...] = ()
    if previous and earlier:
        own, ways = settle(previous, now, has_new=_has_new(kept.rows, earlier))
    out = Split(
        strategy=own.strategy,
        seed=own.seed,
        fractions=own.fractions,
        rows=tuple(_with_external(sorted([*placed, *absent], key=lambda r: r.subject))),
        id=options.name,
        asked=own.asked,
        earlier=ways,
    )
    # the rules judge what came out by what is asked for now
    present = replace(out, fractions=now.fractions, rows=tuple(r for r in out.rows if r.is_present))
    found = engine.check(present) if engine else []
    own, *_ = reversed(ways_of(out))
    certificate = certify(out.rows, now.fractions, optimum=done.optimum, obstacles=done.obstacles)
    certificate = _with_known(certificate, previous)
    notes = (
        *notes_on(out, certificate),
        *notes_on_ways(own, ways, now),
        *done.obstacles,
        *done.notes,
        *kept.notes,
    )
    issues = (*nobody_placed(own, ways, now, options.name), *kept.issues, *found)
    return replace(out, issues=issues, notes=notes, certificate=certificate)


def _with_known(certificate: Certificate, previous: Split | None) -> Certificate:
    """What an earlier run proved of the same places of the same subjects holds as long as nothing was chosen since."""
    known = previous.certificate if previous else None
    if certificate.optimum or not known:
        return certificate
    is_same = (known.cohort, known.places) == (certificate.cohort, certificate.places)
    return replace(certificate, optimum=known.optimum) if is_same else certificate


def _settled(previous: Split | None, options: SplitOptions) -> dict[str, SplitRow]:
    """The rows of an earlier split that keep their places: all, or those of a locked test part."""
    rows = previous.rows if previous else ()
    if options.append_only:
        return {r.subject: r for r in rows}
    return {r.subject: r for r in rows if options.lock_test and r.partition == Partition.TEST}


def _without_test(options: SplitOptions) -> SplitOptions:
    """The same options for everybody who is not in the locked test part."""
    rest = {p: f for p, f in options.fractions.items() if p != Partition.TEST}
    whole = sum(rest.values())
    if not whole:
        return options
    return replace(options, fractions={p: f / whole for p, f in rest.items()})


def _has_new(rows: Sequence[SplitRow], earlier: Mapping[str, SplitRow]) -> bool:
    """Whether anybody's place was open: who belongs to a group with a place goes there."""
    settled = {r.group for r in rows if r.subject in earlier}
    return any(r.group not in settled for r in rows)


def _strategy(options: SplitOptions, kept: Kept) -> str:
    """What auto means here: as given if all is, whole centres if there are several, else evenly."""
    if options.strategy != "auto":
        return options.strategy
    if kept.is_given:
        return "given"
    centres = {r.site for r in kept.rows if r.site}
    wants_external = options.min_external_share > 0 and Partition.TEST in asked_for(options.fractions)
    return "site-holdout" if len(centres) > 1 and wants_external else "stratified"


def _check(name: str, before: Sequence[SplitRow], after: Sequence[SplitRow]) -> None:
    """Strategies may come from elsewhere: none gets away with a leak.

    Raises:
        RunError: a subject has no partition, lost its place, or a group was divided.
    """
    groups: dict[str, set[str]] = defaultdict(set)
    for was, is_now in zip(before, after, strict=True):
        if not is_now.partition or (was.partition and was.partition != is_now.partition):
            raise RunError(
                f"strategy {name} broke its contract: a subject was not put, or not kept, in its place"
            )
        if not was.partition:
            groups[was.group].add(is_now.partition)
    if any(len(places) > 1 for places in groups.values()):
        raise RunError(f"strategy {name} broke its contract: subjects that belong together were divided")


def _with_external(rows: Sequence[SplitRow]) -> list[SplitRow]:
    """Mark the test subjects whose centre has no subject that is trained or validated on."""
    seen = {r.site for r in rows if r.partition not in {Partition.TEST, RESERVE}}
    return [
        replace(r, is_external=r.partition == Partition.TEST and bool(r.site) and r.site not in seen)
        for r in rows
    ]
