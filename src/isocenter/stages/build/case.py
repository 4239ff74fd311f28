"""One case: images, targets, voxel rules, facts, and the row that stands for it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.digests import digest_of, digest_of_bytes
from isocenter.base.errors import FormatError
from isocenter.imaging.foreground import foreground_of
from isocenter.imaging.histogram_bytes import pack
from isocenter.imaging.resample import BACKGROUNDS
from isocenter.imaging.statistics import Measured, measure
from isocenter.model.attributes import Attribute
from isocenter.model.case import Case
from isocenter.model.decision import unsettled
from isocenter.model.descriptor_rows import DescriptorRow
from isocenter.model.issue import Issue, Verdict, verdict_of
from isocenter.model.reasons import because
from isocenter.model.rows import (
    AgreementRow,
    CaseRow,
    OpinionRow,
    PerformanceRow,
    PlannedCase,
    PreviewRow,
    Stack,
)
from isocenter.model.task import TaskContract
from isocenter.rules.engine import Engine
from isocenter.stages.build.descriptors import descriptors_of
from isocenter.stages.build.exposed import measured_where
from isocenter.stages.build.images import Images, SourceFile, read_images
from isocenter.stages.build.options import BuildOptions, recipe_of
from isocenter.stages.build.previews import previews_of
from isocenter.stages.build.targets import Targets, read_targets


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePlan:
    """Everything that a worker needs to build one case."""

    planned: PlannedCase
    stacks: dict[str, Stack]
    files: dict[str, SourceFile]


@dataclass(slots=True, eq=False)
class Built:
    """What became of one case; `case` is None where it was rejected."""

    row: CaseRow
    case: Case | None
    issues: list[Issue]
    agreements: list[AgreementRow]
    performances: list[PerformanceRow]
    opinions: list[OpinionRow]
    previews: list[PreviewRow]
    descriptors: list[DescriptorRow]


def build_case(plan: CasePlan, options: BuildOptions, spacing_mm: tuple[float, ...], engine: Engine) -> Built:
    """Build one case; whatever is wrong with it becomes an issue."""
    planned = plan.planned
    try:
        images = read_images(
            plan.stacks, plan.files, options.contract.reference, options.standardise, spacing_mm, engine
        )
    except FormatError as error:
        issue = because(error.reason, message=error.message, measured=error.measured, expected=error.expected)
        return rejected(plan, options, [issue])
    channels = {s.id: n for n, s in plan.stacks.items()}
    targets = read_targets(planned.annotations, images, channels, plan.files, options, engine)
    measured = _measured(images, options)
    case = _case(plan, images, targets, options, measured)
    issues = [*images.issues, *targets.issues, *engine.check(case)]
    issues = [replace(i, target=planned.id) for i in issues]
    verdict = verdict_of(unsettled(issues, planned.settled))
    if verdict is Verdict.REJECT:
        return rejected(plan, options, issues)
    verdict = Verdict.REVIEW if planned.verdict == Verdict.REVIEW else verdict
    case = replace(case, issues=tuple(issues), verdict=verdict)
    return Built(
        _row(plan, case, measured),
        case,
        issues,
        _agreements(planned, targets),
        [PerformanceRow(case=planned.id, **asdict(each)) for each in targets.performances],
        list(case.opinions),
        previews_of(case, options.contract, targets.not_taken),
        descriptors_of(planned.id, images),
    )


def rejected(plan: CasePlan, options: BuildOptions, issues: list[Issue]) -> Built:
    """A case that leaves a row and its issues, but no record."""
    planned = plan.planned
    row = CaseRow(
        id=planned.id,
        subject=planned.subject,
        site=planned.site,
        timepoint=planned.timepoint,
        shard=planned.shard,
        digest="",
        plan=planned.digest,
        verdict=Verdict.REJECT,
        channels=tuple(options.contract.channels),
        shape=(),
        spacing_mm=(),
        labels=(),
        raters=(),
        attributes=(),
        statistics=(),
        pixel_digest="",
    )
    return Built(row, None, [replace(i, target=planned.id) for i in issues], [], [], [], [], [])


def _case(
    plan: CasePlan, images: Images, targets: Targets, options: BuildOptions, measured: Mapping[str, Measured]
) -> Case:
    planned, contract = plan.planned, options.contract
    names = tuple(contract.channels)
    units = tuple(_unit(n, images, contract) for n in names)
    attributes, conflicts = merge_attributes(plan.stacks, contract.reference)
    images.issues += conflicts
    return Case(
        id=planned.id,
        subject=planned.subject,
        site=planned.site,
        timepoint=planned.timepoint,
        image=_stacked(names, units, images),
        channels=names,
        units=units,
        modalities=tuple(contract.channels[n].modality for n in names),
        grid=images.grid,
        mask=targets.mask,
        raters=targets.raters,
        known=dict(targets.known),
        rater_known={r: dict(by) for r, by in targets.rater_known.items()},
        shares=dict(targets.shares),
        instances=targets.instances,
        rater_boxes=targets.rater_boxes,
        rater_points=targets.rater_points,
        opinions=tuple(replace(o, case=planned.id) for o in targets.opinions),
        slice_labels=targets.slice_labels,
        valid=images.valid,
        boxes=targets.boxes,
        boxes_voxel=targets.boxes_voxel,
        box_labels=targets.box_labels,
        labels=targets.labels,
        attributes=attributes,
        statistics={n: _statistics(n, images, measured[n]) for n in names if n in measured},
        slices=images.slices,
        provenance={"recipe": recipe_of(options)},
    )


def _unit(name: str, images: Images, contract: TaskContract) -> str:
    """Unit of a channel; one that is missing has that of its modality, so that its background is right."""
    return images.units.get(name, "HU" if contract.channels[name].modality == "CT" else "arbitrary")


def _stacked(names: tuple[str, ...], units: tuple[str, ...], images: Images) -> NDArray[Any]:
    """Channels (C, K, J, I) of one type; integers and floats together are float32."""
    present = [images.arrays[n] for n in names if n in images.arrays]
    dtypes = {a.dtype for a in present}
    dtype = dtypes.pop() if len(dtypes) == 1 else np.dtype(np.float32)
    if len(names) == 1:
        return np.ascontiguousarray(present[0])[None]
    missing = {
        n: BACKGROUNDS.get(u, 0.0) for n, u in zip(names, units, strict=True) if n not in images.arrays
    }
    if not all(_fits(value, dtype) for value in missing.values()):
        dtype = np.dtype(np.float32)  # air is -1024, which no unsigned integer holds
    out = np.empty((len(names), *images.grid.shape), dtype)
    for n, name in enumerate(names):
        out[n] = images.arrays[name] if name in images.arrays else missing[name]
    return out


def _fits(value: float, dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" or np.iinfo(dtype).min <= value <= np.iinfo(dtype).max


def _measured(images: Images, options: BuildOptions) -> dict[str, Measured]:
    """What is measured of each channel that is there, over its foreground."""
    way = options.standardise.foreground
    return {
        name: measure(
            array, valid=measured_where(images, name), foreground=foreground_of(images.units[name], way)
        )
        for name, array in images.arrays.items()
    }


def _statistics(name: str, images: Images, measured: Measured) -> dict[str, float]:
    """Facts of one channel over its foreground, where that begins, and the shares that were clipped."""
    below, above = images.clipped.get(name, (0.0, 0.0))
    facts = {**measured.facts, "clipped_below": below, "clipped_above": above}
    threshold = measured.foreground.threshold
    return {**facts, "threshold": threshold} if math.isfinite(threshold) else facts


def merge_attributes(
    stacks: Mapping[str, Stack], reference: str
) -> tuple[tuple[Attribute, ...], list[Issue]]:
    """Attributes of a case: the reference image's, then those of the other channels by their name."""
    first = stacks[reference]
    out = {a.name: a for a in first.attributes}
    issues = []
    for channel, stack in stacks.items():
        for attribute in stack.attributes if stack is not first else ():
            name = attribute.name
            if name not in {"age_years", "sex", "weight_kg"}:
                out[f"{channel}.{name}"] = replace(attribute, name=f"{channel}.{name}")
            elif not out[name].value:
                out[name] = attribute
            elif attribute.value and attribute.value != out[name].value:
                issues.append(because("index/conflicting-attribute", measured=f"{name}: two values"))
    return tuple(out[n] for n in sorted(out)), issues


def _row(plan: CasePlan, case: Case, measured: Mapping[str, Measured]) -> CaseRow:
    image = np.ascontiguousarray(case.image)
    pixels = digest_of_bytes(image.reshape(-1).view(np.uint8).data)
    return CaseRow(
        id=case.id,
        subject=case.subject,
        site=case.site,
        timepoint=case.timepoint,
        shard=plan.planned.shard,
        digest="",
        plan=plan.planned.digest,
        verdict=case.verdict,
        channels=case.channels,
        shape=case.grid.shape,
        spacing_mm=tuple(round(s, 6) for s in case.grid.spacing_mm),
        labels=case.labels,
        raters=tuple(sorted(case.raters)),
        attributes=case.attributes,
        statistics=tuple(json.dumps(case.statistics.get(c, {}), sort_keys=True) for c in case.channels),
        pixel_digest=digest_of([list(image.shape), str(image.dtype), pixels]),
        units=case.units,
        partition=plan.planned.partition,
        foregrounds=tuple(measured[c].foreground.name if c in measured else "" for c in case.channels),
        histograms=tuple(pack(measured[c].inside) if c in measured else b"" for c in case.channels),
        backgrounds=tuple(pack(measured[c].outside) if c in measured else b"" for c in case.channels),
    )


def _agreements(planned: PlannedCase, targets: Targets) -> list[AgreementRow]:
    return [
        AgreementRow(
            case=planned.id,
            label=a.label,
            rater_a=a.raters[0],
            rater_b=a.raters[1],
            dice=a.dice,
            volume_a_ml=a.volumes_ml[0],
            volume_b_ml=a.volumes_ml[1],
            iou=a.iou,
            surface_dice=a.surface_dice,
            hd95_mm=a.hd95_mm,
            f1=a.f1,
            lesions_a=a.lesions[0],
            lesions_b=a.lesions[1],
            lesions_matched=a.lesions_matched,
            lowest_lesion_dice=a.lowest_lesion_dice,
            volume_difference_ml=a.volume_difference_ml,
        )
        for a in targets.agreements
    ]
