"""Places that are decided already: by an earlier run, or by the source of the data."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.split import RESERVE, Partition, SplitRow
from isocenter.stages.split.rows import gather

# A source that divides what belongs together loses it to the part that is never trained on.
_PRECEDENCE = {Partition.TEST.value: 0, Partition.VAL.value: 1, Partition.TRAIN.value: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One row per subject, with its partition where that is decided; `is_given`: all are by the source."""

    rows: list[SplitRow]
    is_given: bool
    issues: tuple[Issue, ...]
    notes: tuple[str, ...]


def keep_places(
    rows: Iterable[SplitRow],
    earlier: Mapping[str, SplitRow],
    *,
    use_given: bool,
    is_locked: bool = False,
) -> Kept:
    """Decide what is decided: an earlier place comes first, then the source's; a group follows its members.

    Args:
        rows: Any number per subject; `partition` is what the source says.
        earlier: The subjects of an earlier split.
        use_given: Whether the source's partitions count.
        is_locked: Whether the test part takes nobody in any more. Who belongs to somebody in it, or to a centre that
            it has to itself, could be trained on by nobody who wants the test to stay one: they are in reserve.
    """
    parts = gather((row, ()) for row in rows)
    given, issues = _given(parts)
    if not use_given:
        issues = []
    out, overruled, divided = [], 0, 0
    members: dict[str, list[SplitRow]] = defaultdict(list)
    for row in gather((replace(r, partition="", is_external=False), ()) for r in parts):
        members[row.group].append(row)
    for group, found in sorted(members.items()):
        source = given.get(group, "") if use_given else ""
        places = Counter(earlier[r.subject].partition for r in found if r.subject in earlier)
        usual = min(places, key=lambda p: (-places[p], _PRECEDENCE.get(p, 3))) if places else source
        overruled += bool(places and source and set(places) != {source}) * len(found)
        divided += len(places) > 1
        out += [_put(row, earlier.get(row.subject), usual) for row in found]
    notes = []
    if is_locked:
        out, reserved = _reserve(out, earlier)
        notes += [f"subjects in reserve, as the locked test part has their people or centre: {reserved}"] * (
            reserved > 0
        )
    if divided:
        notes.append(
            f"groups that an earlier run divided, before it was known that they belong together: {divided}; "
            "append_only: false divides anew"
        )
    if overruled:
        notes.append(f"{overruled} subjects have another partition in their source; the earlier place holds")
    if given and not use_given:
        notes.append(f"partitions that the source gives were not used ({len(given)} groups of subjects)")
    return Kept(
        rows=sorted(out, key=lambda r: r.subject),
        is_given=bool(out) and use_given and set(members) == set(given),
        issues=tuple(issues),
        notes=tuple(notes),
    )


def _reserve(rows: Sequence[SplitRow], earlier: Mapping[str, SplitRow]) -> tuple[list[SplitRow], int]:
    """Newcomers whose place would be the test part, or whose centre it has to itself, in reserve; and how many."""
    centres = {r.site for r in earlier.values() if r.is_external and r.site}
    out = [
        replace(r, partition=RESERVE)
        if r.subject not in earlier
        and (r.partition == Partition.TEST or (not r.partition and r.site in centres))
        else r
        for r in rows
    ]
    # A group goes as one: whoever shares one with somebody in reserve, and has no place, is in reserve too.
    held = {r.group for r in out if r.partition == RESERVE}
    out = [replace(r, partition=RESERVE) if not r.partition and r.group in held else r for r in out]
    return out, sum(r.partition == RESERVE and r.subject not in earlier for r in out)


def _put(row: SplitRow, earlier: SplitRow | None, usual: str) -> SplitRow:
    if earlier is None:
        return replace(row, partition=usual)
    return replace(row, partition=earlier.partition, is_external=earlier.is_external, inner=earlier.inner)


def _given(parts: Sequence[SplitRow]) -> tuple[dict[str, str], list[Issue]]:
    """The source's partition of every group that has one."""
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for row in parts:
        if row.partition:
            said[row.group][row.partition] += 1
    issues = [_divided(group, counts) for group, counts in sorted(said.items()) if len(counts) > 1]
    return {g: min(counts, key=lambda p: (_PRECEDENCE.get(p, 3), p)) for g, counts in said.items()}, issues


def _divided(group: str, places: Counter[str]) -> Issue:
    parts = ", ".join(f"{n} in {p}" for p, n in sorted(places.items()))
    return because("split/source-divided", target=group, measured=parts, expected="all in one partition")
