"""Plan: drafts and linked annotations become cases with a verdict, a size and a digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from isocenter.base.digests import digest_of
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.model.decision import Decision, Word, unsettled
from isocenter.model.issue import Issue, Severity, verdict_of
from isocenter.model.reasons import because
from isocenter.model.rows import PlannedAnnotation, PlannedCase, PlannedChannel, Stack
from isocenter.stages.enrol.absence import Silence
from isocenter.stages.enrol.candidates import Draft
from isocenter.stages.enrol.inputs import Inputs
from isocenter.stages.enrol.options import EnrolOptions

# A shard is the unit of work: fewer than this would leave cores idle on a small cohort.
_WORK_SHARDS = 16
NO_DECISIONS: Mapping[str, Decision] = MappingProxyType({})


def by_stack(annotations: Iterable[PlannedAnnotation]) -> dict[str, list[PlannedAnnotation]]:
    """Annotations by the stack they are on."""
    out: dict[str, list[PlannedAnnotation]] = {}
    for annotation in annotations:
        out.setdefault(annotation.on, []).append(annotation)
    return out


def attach(
    draft: Draft,
    annotations: Mapping[str, Sequence[PlannedAnnotation]],
    options: EnrolOptions,
    silences: Sequence[Silence] = (),
) -> list[PlannedAnnotation]:
    """The annotations of one draft; what they leave open is closed as negative where a source says so.

    Args:
        draft: The case in the making; it takes the issues.
        annotations: All annotations, by the stack they are on.
        options: The labels.
        silences: What the sources say of what they have nothing of.
    """
    own = {s.id for s in draft.chosen.values()}
    found = sorted((a for s in own for a in annotations.get(s, ())), key=lambda a: (a.id, a.keys))
    labels = set(options.contract.labels)
    open_ = labels - {label for a in found for label in _known_labels(a)}
    reference = draft.chosen.get(options.contract.reference)
    closed = open_ & _closed(own, silences)
    if closed and reference is not None:
        found.append(_absent(reference, sorted(closed)))
        open_ -= closed
    if any(s.is_negative and s.unmapped & own for s in silences):
        message = "a file of this image was made, but no name in it is a label"
        draft.issues.append(because("enrol/unmapped-label", severity=Severity.REVIEW, message=message))
    elif open_ == labels and draft.chosen:
        draft.issues.append(
            because("enrol/no-annotation", expected=", ".join(sorted(labels)), measured="none")
        )
    draft.issues += _twice(found)
    return found


def _closed(own: set[str], silences: Sequence[Silence]) -> set[str]:
    """Labels that are negative because their sources have nothing of the images."""
    closed = {label for s in silences if s.is_negative and not s.touched & own for label in s.labels}
    return closed - {label for s in silences if s.is_table and s.touched & own for label in s.labels}


def _known_labels(annotation: PlannedAnnotation) -> set[str]:
    """Labels that an annotation decides, positive or negative."""
    if annotation.kind == "boxes" and not annotation.file_id:
        return set(annotation.searched)
    if annotation.kind == "labels":
        pairs = zip(annotation.labels, annotation.states, strict=True)
        return {label for label, state in pairs if state != "not_annotated"}
    return {*annotation.labels, *annotation.searched}


def _absent(stack: Stack, labels: list[str]) -> PlannedAnnotation:
    return PlannedAnnotation(
        id=f"absent-{stack.id}",
        kind="labels",
        format="declared",
        rater="",
        on=stack.id,
        labels=tuple(labels),
        states=tuple("absent" for _ in labels),
    )


def _twice(found: Sequence[PlannedAnnotation]) -> list[Issue]:
    """One label from two files of one rater (or of nobody named) is no second opinion."""
    seen: dict[tuple[str, str], set[str]] = {}
    for annotation in found:
        is_decided = annotation.kind == "labels"
        for label in _known_labels(annotation) if is_decided else set(annotation.labels):
            seen.setdefault((annotation.rater, label), set()).add(annotation.id)
    return [
        because("enrol/same-label-twice", measured=f"{label} in {len(ids)} files", expected="1")
        for (_, label), ids in sorted(seen.items())
        if len(ids) > 1
    ]


def plan_case(
    draft: Draft,
    annotations: Sequence[PlannedAnnotation],
    inputs: Inputs,
    options: EnrolOptions,
    spacing_mm: tuple[float, ...],
    names: Pseudonyms,
    max_bytes: int,
    decisions: Mapping[str, Decision] = NO_DECISIONS,
) -> tuple[PlannedCase, list[Issue]]:
    """One planned case and its issues."""
    case_id = names.of("case", draft.subject, draft.timepoint, draft.unit)
    size = estimate_bytes(draft, options, spacing_mm)
    issues = [*draft.issues, *_of_stacks(draft, inputs)]
    if size > max_bytes:
        issues.append(because("build/too-large", measured=size, expected=max_bytes, unit="bytes"))
    decision = decisions.get(case_id)
    issues = [replace(i, target=case_id) for i in [*issues, *_said(decision)]]
    settled = decision.seen if decision else ()
    left = unsettled(issues, settled)
    verdict = verdict_of(left)
    channels = tuple(
        PlannedChannel(name=n, stack=draft.chosen[n].id if n in draft.chosen else "")
        for n in options.contract.channels
    )
    planned = PlannedCase(
        id=case_id,
        subject=draft.subject,
        site=draft.site,
        timepoint=draft.timepoint,
        shard=0,
        digest="",
        verdict=verdict,
        reason=next(
            (i.rule for i in left if i.severity is not None and i.severity.value == verdict.value), ""
        ),
        settled=settled,
        bytes_estimated=size,
        channels=channels,
        annotations=tuple(annotations),
        partition=next((s.partition for s in draft.chosen.values() if s.partition), ""),
    )
    return replace(planned, digest=_digest(planned, draft, inputs, options, spacing_mm)), issues


def _said(decision: Decision | None) -> list[Issue]:
    """A person's word on a case, as an issue of it; the reason stays in the workspace's own list."""
    if decision is None:
        return []
    rule = "enrol/accepted-by-person" if decision.word is Word.ACCEPT else "enrol/rejected-by-person"
    return [because(rule, measured=decision.at)]


def _of_stacks(draft: Draft, inputs: Inputs) -> list[Issue]:
    """A case of which an image is to be reviewed is to be reviewed for the same reason."""
    out = []
    for name, stack in sorted(draft.chosen.items()):
        row = inputs.verdicts[stack.id]
        if row.verdict == "review":
            message = f"the image of channel {name} is to be reviewed"
            out.append(Issue(rule=row.reason, severity=Severity.REVIEW, message=message, measured=stack.id))
    return out


def estimate_bytes(draft: Draft, options: EnrolOptions, spacing_mm: tuple[float, ...]) -> int:
    """Uncompressed bytes of the packed case: its images and masks on the canonical grid."""
    reference = draft.chosen.get(options.contract.reference)
    if reference is None or len(reference.affine) != 16:
        return 0
    voxels = float(np.prod(reference.shape, dtype=np.float64))
    if spacing_mm:
        # canonical order may permute the axes; their product does not change
        voxels *= float(np.prod(reference.spacing_mm)) / float(np.prod(spacing_mm))
    per_voxel = sum(2 if c.modality == "CT" else 4 for c in options.contract.channels.values()) + 2
    return int(voxels * per_voxel)


def _digest(
    planned: PlannedCase,
    draft: Draft,
    inputs: Inputs,
    options: EnrolOptions,
    spacing_mm: tuple[float, ...],
) -> str:
    """What the record depends on: the recipe, the plan, and the size and time of every file behind it."""
    files = [f for s in draft.chosen.values() for f in s.files] + [
        a.file_id for a in planned.annotations if a.file_id
    ]
    files += [data for f in files if (data := inputs.files[f].data_file)]
    signatures = [(f, inputs.files[f].size, inputs.files[f].mtime_ns) for f in files]
    stacks: Mapping[str, Stack] = draft.chosen
    return digest_of([options.recipe, list(spacing_mm), planned, stacks, signatures])


def median_spacing(drafts: Iterable[Draft], reference: str, held_out: set[str]) -> tuple[float, ...]:
    """Median spacing (k, j, i) over the canonical grids of subjects that no split holds out."""
    rows = []
    for draft in drafts:
        stack = draft.chosen.get(reference)
        if stack is not None and len(stack.affine) == 16 and draft.subject not in held_out:
            linear = np.abs(np.array(stack.affine).reshape(4, 4)[:3, :3])
            sizes = np.linalg.norm(linear, axis=0)
            world = np.argmax(linear, axis=0)
            if sorted(world) == [0, 1, 2]:
                rows.append([float(sizes[list(world).index(axis)]) for axis in (2, 1, 0)])
    return tuple(float(v) for v in np.median(np.array(rows), axis=0)) if rows else ()


def shard_count(cases: Sequence[PlannedCase], shard_bytes: int) -> int:
    """The power of two that makes shards of about the wanted size, but enough of them to share the work."""
    sizes = [c.bytes_estimated for c in cases if c.is_to_build]
    count = 1
    while sum(sizes) / count > shard_bytes or (count < _WORK_SHARDS and count * 2 <= len(sizes)):
        count *= 2
    return count


def shard_of(case_id: str, count: int) -> int:
    """Shard of a case: a hash of its id modulo a power of two, so that it never depends on other cases."""
    return int(digest_of(case_id)[:8], 16) % count
