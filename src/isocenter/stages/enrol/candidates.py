"""Candidates: which stacks can be the channels of which case, and which of several is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from isocenter.imaging.affine import match
from isocenter.imaging.embedding import embedding
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import Stack
from isocenter.model.selection import matches
from isocenter.model.task import Channel, TaskContract
from isocenter.stages.enrol.inputs import Inputs
from isocenter.stages.enrol.options import CaseUnit

# No case has several volumes of one set.
NO_SETS: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Draft:
    """One case in the making: what fills its channels, and what was found on the way."""

    subject: str
    site: str
    timepoint: str
    unit: str = ""
    candidates: dict[str, list[Stack]] = field(default_factory=dict)
    chosen: dict[str, Stack] = field(default_factory=dict)
    set_aside: dict[str, str] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    @property
    def stacks(self) -> list[Stack]:
        """Every stack that belongs to the case, chosen or not."""
        return list({s.id: s for stacks in self.candidates.values() for s in stacks}.values())


def draft_cases(inputs: Inputs, contract: TaskContract, unit: CaseUnit) -> list[Draft]:
    """Group the stacks that passed the screen into cases, and choose what fills each channel."""
    wanted = [
        (inputs.stacks[v.target], v.channels)
        for v in inputs.verdicts.values()
        if v.channels and v.verdict != "reject" and inputs.stacks[v.target].subject
    ]
    wanted.sort(key=lambda pair: pair[0].id)
    dated: dict[str, set[str]] = {}
    for stack, _ in wanted:
        if stack.timepoint:
            dated.setdefault(stack.subject, set()).add(stack.timepoint)
    drafts: dict[tuple[str, str, str], Draft] = {}
    for stack, channels in wanted:
        is_all = unit is CaseUnit.PATIENT
        timepoint = "" if is_all else _timepoint(stack, dated.get(stack.subject, set()))
        part = _part(stack, unit)
        draft = drafts.setdefault(
            (stack.subject, timepoint, part), Draft(stack.subject, stack.site, timepoint, part)
        )
        for name in channels:
            draft.candidates.setdefault(name, []).append(stack)
    out = [drafts[k] for k in sorted(drafts)]
    for draft in out:
        _choose_all(draft, contract, inputs)
    return out


def side_of(stack: Stack) -> str:
    """Side of the body that an image is of: L, R or B (both); "" where its header does not say (PS3.3 C.8.11.1)."""
    word = stack.attribute("laterality").strip().upper()
    return word if word in {"L", "R", "B"} else ""


def _part(stack: Stack, unit: CaseUnit) -> str:
    """What sets a case apart from others of its subject and date."""
    if unit is CaseUnit.IMAGE:
        return stack.id
    if unit is CaseUnit.SERIES:
        return stack.series
    if unit is CaseUnit.SIDE:
        return f"{stack.layout_case}{side_of(stack)}"
    return stack.layout_case


def speakers_of(drafts: Iterable[Draft], reference: str) -> dict[str, str]:
    """Of the volumes of one set (time, echo, ...) in one case, the one that stands for all: id to id.

    They share their grid, so that what was drawn on the set is on each of them; it is kept once, on the reference
    channel or else on the first along the axis.
    """
    out: dict[str, str] = {}
    for draft in drafts:
        sets: dict[str, list[Stack]] = {}
        for stack in draft.chosen.values():
            if stack.group:
                sets.setdefault(stack.group, []).append(stack)
        main = draft.chosen.get(reference)
        for stacks in sets.values():
            first = min(stacks, key=lambda s: (s is not main, s.axis_index))
            out |= {s.id: first.id for s in stacks}
    return out


def _timepoint(stack: Stack, dated: set[str]) -> str:
    """A file without a date belongs to its subject's one time point; with several it stays apart."""
    return next(iter(dated)) if not stack.timepoint and len(dated) == 1 else stack.timepoint


def _choose_all(draft: Draft, contract: TaskContract, inputs: Inputs) -> None:
    for name, channel in contract.channels.items():
        candidates = draft.candidates.get(name, [])
        chosen = _choose(draft, name, channel, candidates, inputs)
        if chosen is not None:
            draft.chosen[name] = chosen
        elif not candidates and not channel.optional:
            draft.issues.append(because("enrol/missing-channel", expected=name, measured="none"))
    reference = draft.chosen.get(contract.reference)
    for name in sorted(set(draft.chosen) - {contract.reference}):
        if reference is not None and not _is_registered(
            reference, draft.chosen[name], contract.channels[name]
        ):
            draft.issues.append(
                because("enrol/other-frame-of-reference", measured=name, expected=contract.reference)
            )


def _choose(
    draft: Draft, name: str, channel: Channel, candidates: Sequence[Stack], inputs: Inputs
) -> Stack | None:
    left = list(candidates)
    for condition in channel.prefer:
        fitting = [s for s in left if matches(s, inputs.path(s), condition)]
        left = fitting or left
        if len(left) == 1:
            break
    if len(left) == 1:
        for stack in candidates:
            if stack.id != left[0].id:
                draft.set_aside[stack.id] = "enrol/not-preferred"
        return left[0]
    if left:
        draft.issues.append(
            because("enrol/several-candidates", measured=f"{len(left)} images for {name}", expected="1")
        )
    return None


def _is_registered(reference: Stack, other: Stack, channel: Channel) -> bool:
    if channel.assume_registered:
        return True
    if reference.frame_of_reference or other.frame_of_reference:
        return reference.frame_of_reference == other.frame_of_reference
    return match(reference.grid, other.grid).kind != "different"


def grids_match(
    stack: Stack, shape: tuple[int, ...], affine: Sequence[float], *, is_part: bool = False
) -> bool:
    """Whether a mask's grid, known from its header, is the stack's own (up to rounding and axis order).

    Args:
        stack: The stack.
        shape: Of the mask, (K, J, I).
        affine: Of the mask.
        is_part: Whether a part of the stack's grid will do.
    """
    if len(stack.affine) != 16 or len(affine) != 16 or len(shape) != 3:
        return False
    grid = stack.grid
    k, j, i = shape
    other = type(grid)((k, j, i), np.array(affine, dtype=np.float64).reshape(4, 4), "", grid.is_oriented)
    if match(grid, other).kind != "different":
        return True
    place = embedding(other, grid) if is_part else None
    return place is not None and place.is_inside
