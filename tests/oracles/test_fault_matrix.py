"""Every planted fault, read as a user reads a folder: told by its rule, and rebuilt, reviewed or refused as it must be.

The truth comes from the formulas that the files were written from. `ISOCENTER_FAULT_SEEDS` asks for more scans than one
(other noise, matrices, numbers of slices, and every modality that a fault can happen to).
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

import isocenter
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.testing.simulate.broken import CLEAN, FAULTS, Fault, Outcome, Scan, TrueVolume, differences

SEEDS = int(os.environ.get("ISOCENTER_FAULT_SEEDS", "1"))
SHAPES = ((20, 40, 48), (31, 24, 56), (23, 64, 32), (48, 33, 41))
ASKED, REJECTED = Severity.REVIEW, Severity.REJECT


def scans(fault: Fault) -> list[Scan]:
    if SEEDS == 1:
        return [Scan(modality=fault.modalities[0])]
    sizes = [
        dict(zip(("slices", "rows", "columns"), SHAPES[n % len(SHAPES)], strict=True)) for n in range(SEEDS)
    ]
    return [Scan(seed=n, modality=m, **size) for n, size in enumerate(sizes) for m in fault.modalities]


def named(faults: Sequence[Fault]) -> list[object]:
    cases = [(fault, scan) for fault in faults for scan in scans(fault)]
    return [pytest.param(f, s, id=f"{f.name}-{s.modality}-{s.seed}") for f, s in cases]


def assert_true(volumes: Sequence[Volume], truths: Sequence[TrueVolume]) -> None:
    """Each true volume was read once, with no voxel wrong and none off its place, and nothing else was read."""
    left = list(volumes)
    for truth in truths:
        found = [differences(truth, v.array, v.grid.affine, v.valid) for v in left]
        assert found, f"{len(truths)} volumes are true, {len(volumes)} were read"
        best = min(range(len(found)), key=lambda n: found[n])
        wrong, distance_mm = found[best]
        assert wrong == 0, f"{wrong} of {truth.array.size} voxels are wrong"
        assert distance_mm <= truth.tolerance_mm, f"voxels lie {distance_mm:g} mm off"
        del left[best]
    assert not left, f"{len(left)} volumes were read that are none"


def told_of(issues: Sequence[Issue]) -> str:
    return "; ".join(sorted({f"{i.rule} ({i.severity}): {i.message}" for i in issues})) or "nothing was told"


@pytest.mark.parametrize(("fault", "scan"), named(FAULTS))
def test_a_fault_is_told_and_handled(fault: Fault, scan: Scan, tmp_path: Path) -> None:
    planted = fault.write(tmp_path, scan)
    reading = isocenter.read(tmp_path)
    told = told_of(reading.issues)
    if fault.rules:
        assert {i.rule for i in reading.issues} & set(fault.rules), told
    if fault.outcome is Outcome.REFUSED:
        assert len(reading) == 0, told
        assert any(i.severity is REJECTED for i in reading.issues), told
    elif fault.outcome is Outcome.REVIEWED:
        assert any(i.severity in {ASKED, REJECTED} for i in reading.issues), told
        if planted.volumes and len(reading):
            assert_true(reading.volumes, planted.volumes)
    else:
        assert_true(reading.volumes, planted.volumes)


@pytest.mark.parametrize(("variant", "scan"), named(CLEAN))
def test_a_sound_series_raises_nothing(variant: Fault, scan: Scan, tmp_path: Path) -> None:
    planted = variant.write(tmp_path, scan)
    reading = isocenter.read(tmp_path)
    assert not [i for i in reading.issues if i.severity in {ASKED, REJECTED}], told_of(reading.issues)
    assert_true(reading.volumes, planted.volumes)


def test_there_are_as_many_faults_as_were_asked_for() -> None:
    """18 and 10 that were reported (some of them the same), and at least 20 of our own finding."""
    assert len({f.name for f in FAULTS}) == len(FAULTS)
    assert sum(f.source == "eighteen broken series" for f in FAULTS) >= 18
    assert sum(f.source == "own" for f in FAULTS) >= 20
