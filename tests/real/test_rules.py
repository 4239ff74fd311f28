"""The rules on real scans: quiet on the twelve sarcoma patients, right about the tilted head and the captures."""

from pathlib import Path

import pytest

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.formats.images import dicom
from isocenter.model.rows import Instance, Series, Stack
from isocenter.model.volume import Volume
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.index.rows import SeriesMembers, series_of, stacks_of
from isocenter.stages.index.subjects import Identity
from tests.unit.stages.grouping import members_of

pytestmark = pytest.mark.real
ENGINE = Engine(ScreenOptions())
SARCOMA = "rtstruct_ct_pet_mr_IBSI/dicom"
PATIENTS = [f"STS_{n:03}" for n in (2, 3, 8, 12, 15, 18, 24, 25, 32, 35, 41, 43)]


def read(folder: Path) -> tuple[Series, list[Stack]]:
    rows: list[Instance] = []
    for path in sorted(folder.iterdir()):
        found = dicom.scan(path, str(path), 0, "site-1")
        if found.kind == "dicom-image" and found.instance is not None:
            rows.append(found.instance)
    members = SeriesMembers(
        rows=members_of(rows), identities=[Identity("subject-1", "site-1", is_dummy=False)], attributes=()
    )
    stacks = stacks_of(members, Pseudonyms(b"0" * 32)).stacks
    return series_of(members, stacks), stacks


def volume_of(stack: Stack) -> Volume:
    return dicom.read(stack, [Path(f) for f in stack.files])


def told(*subjects: object) -> set[str]:
    return {issue.rule for subject in subjects for issue in ENGINE.check(subject)}


@pytest.mark.parametrize("image", ["CT", "PET", "MR_T1"])
@pytest.mark.parametrize("patient", PATIENTS)
def test_sarcoma_patients_raise_nothing(real_data: Path, patient: str, image: str) -> None:
    series, stacks = read(real_data / SARCOMA / patient / image / "image")
    assert len(stacks) == 1
    assert told(series, *stacks) == set()
    found = told(volume_of(stacks[0]))
    # some were cut from larger scans, and end in slices of nothing
    assert found <= {"values/saturated-values", "values/clipped-values", "values/empty-slices"}


def test_a_chest_raises_nothing(real_data: Path) -> None:
    (folder,) = (real_data / "ct_chest_CPTAC-LSCC_C3N-00247").iterdir()
    series, stacks = read(folder)
    assert told(series, *stacks, volume_of(stacks[0])) == set()


def test_the_tilted_head_is_tilted_uneven_and_nothing_else(real_data: Path) -> None:
    series, stacks = read(real_data / "ct_gantry_tilt_GE")
    assert told(series, *stacks) == {"geometry/gantry-tilt", "geometry/uneven-slice-spacing"}
    assert told(volume_of(stacks[0])) == set()


def test_captures_and_localizers_are_rejected(real_data: Path) -> None:
    for folder, rule in (
        ("philips_localizer", "content/localizer"),
        ("philips_secondary_capture", "content/dose-screen-or-capture"),
    ):
        _, stacks = read(real_data / "ct_screen_out" / folder)
        assert stacks
        assert all(rule in told(s) for s in stacks)


def test_a_three_plane_localizer_is_too_wide(real_data: Path) -> None:
    _, stacks = read(real_data / "mr_prostatex_0218_localizer_3planes")
    assert len(stacks) == 3
    assert all("geometry/wide-slice-spacing" in told(s) for s in stacks)


def test_a_slice_that_was_lost_is_told(real_data: Path) -> None:
    _, holey = read(real_data / "mr_prostatex_0000/calc_bval_MISSING_SLICE")
    _, whole = read(real_data / "mr_prostatex_0000/calc_bval_complete")
    assert "geometry/missing-slices" in told(*holey)
    assert told(*whole) == set()


def test_diffusion_maps_are_derived_and_welcome(real_data: Path) -> None:
    for folder in ("adc", "t2_tra"):
        series, stacks = read(real_data / "mr_prostatex_0000" / folder)
        assert told(series, *stacks) == set()
