"""What the policies make of the rules, and of the cases that are built."""

import numpy as np
import pytest

import isocenter as iso
from isocenter.base.documents import write_yaml
from isocenter.model.issue import Severity
from isocenter.pipeline.policies import weighed
from isocenter.rules.select import ScreenOptions
from isocenter.stages.build.options import GapPolicy, PetPolicy, Standardise, TiltPolicy
from tests.unit.pipeline.dicom_series import error_of, value_at, write_series

GAP = (0, 3, 6, 12, 15, 18)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({}, {}),
        ({"tilt": TiltPolicy.REJECT}, {"geometry/gantry-tilt": Severity.REJECT}),
        ({"tilt": TiltPolicy.RESAMPLE}, {}),
        ({"gaps": GapPolicy.RESAMPLE}, {"geometry/missing-slices": Severity.REVIEW}),
        ({"uneven": GapPolicy.RESAMPLE}, {"geometry/uneven-slice-spacing": Severity.REVIEW}),
    ],
)
def test_a_policy_weighs_the_rule_that_sees_what_it_is_about(policies, expected):
    assert weighed(ScreenOptions(), Standardise(**policies)).severity == expected


def test_a_weight_that_a_rule_was_given_itself_stands():
    said = ScreenOptions(severity={"geometry/missing-slices": Severity.NOTE, "a/b": Severity.REJECT})
    found = weighed(said, Standardise(gaps=GapPolicy.RESAMPLE))
    assert found.severity == {"geometry/missing-slices": Severity.NOTE, "a/b": Severity.REJECT}


def test_what_pet_shall_become_is_asked_of_the_rule_that_sees_whether_it_can():
    found = weighed(ScreenOptions(), Standardise(pet=PetPolicy.SUVLBM))
    assert found.options == {"values/unconvertible-pet": {"wanted": "suvlbm"}}
    assert found.is_selected("values/unconvertible-pet")


def test_nobody_asks_whether_stored_pet_can_be_converted():
    found = weighed(ScreenOptions(), Standardise(pet=PetPolicy.STORED))
    assert not found.is_selected("values/unconvertible-pet")


def built(folder, **standardise):
    (folder / "labels.csv").write_text("id,label\nP1,lesion\n")
    document = {
        "name": "n",
        "task": "classification",
        "sources": [{"path": "data", "site": "s"}],
        "channels": {"ct": {"modality": "CT"}},
        "labels": {"lesion": None},
        "annotations": [
            {
                "kind": "table",
                "shape": "labels",
                "path": "labels.csv",
                "columns": {"key": "id", "label": "label"},
            }
        ],
        "standardise": standardise,
        "screen": {"stop_at_rejected_share": 1.0},
        "executor": {"kind": "serial"},
        "workspace": "work",
    }
    write_yaml(folder / "cohort.yaml", document)
    run = iso.run(folder / "cohort.yaml", until="build")
    if run.store is None or run.gate:
        return run, None
    store = iso.open(run.store)
    [case] = [store[i] for i in store]
    return run, case


def field_error(case):
    """The largest difference of a packed image from the field that was written, over its valid voxels."""
    k, j, i = (a.reshape(-1) for a in np.indices(case.grid.shape))
    points = case.grid.to_world(np.stack([i, j, k], axis=1).astype(np.float64)) * [-1, -1, 1]
    error = np.abs(np.asarray(case.image)[0] - value_at(points).reshape(case.grid.shape))
    return error.max() if case.valid is None else error[np.asarray(case.valid).astype(bool)].max()


def test_a_gap_is_filled_in_the_packed_case_and_the_slice_table_says_where(tmp_path):
    write_series(tmp_path / "data", GAP)
    run, case = built(tmp_path)
    assert case is None
    assert "geometry/missing-slices" in run.gate
    _, case = built(tmp_path, gaps="resample")
    assert case.verdict == "review"
    assert case.grid.shape[0] == 7
    assert [k for k, s in enumerate(case.slices) if s.is_synthetic] == [3]
    assert [s.file == "" for s in case.slices] == [s.is_synthetic for s in case.slices]
    assert [s.position_mm for s in case.slices] == pytest.approx([3 * k for k in range(7)])
    assert field_error(case) <= 1.0
    by_hand = iso.read(tmp_path / "data", gaps="resample").volume
    assert error_of(by_hand) <= 1.0
    [issue] = [i for i in case.issues if i.rule == "read/resampled-gaps"]
    assert (issue.measured, issue.unit) == ("1", "synthetic slices")


def test_what_a_synthetic_slice_went_into_is_synthetic_too(tmp_path):
    write_series(tmp_path / "data", GAP)
    _, case = built(tmp_path, gaps="resample", spacing=[2.0, 0.75, 0.5])
    made = {round(s.position_mm, 3) for s in case.slices if s.is_synthetic}
    assert made
    centre = (case.grid.shape[0] - 1) / 2 * 2.0
    for row in case.slices:
        place = (row.position_mm - centre) / 3.0 + 3.0  # in slices of 3 mm; the grids share their centre
        assert row.is_synthetic == (
            (2.0 < place < 4.0 and abs(place - round(place)) > 1e-3) or abs(place - 3) < 1e-3
        )


@pytest.mark.parametrize("spacing", ["native", [2.0, 1.0, 1.0]])
def test_tilt_is_taken_out_of_the_packed_grid_by_one_resampling(tmp_path, spacing):
    write_series(tmp_path / "data", (0, 3, 6, 9, 12, 15), tilt_deg=18.0)
    _, kept = built(tmp_path, spacing=spacing)
    assert "geometry/gantry-tilt" not in {i.rule for i in kept.issues if i.severity == "reject"}
    _, case = built(tmp_path, spacing=spacing, tilt="resample")
    axes = case.grid.affine[:3, :3]
    assert np.abs(axes.T @ axes - np.diag(np.diag(axes.T @ axes))).max() < 1e-6
    assert "read/resampled-tilt" in {i.rule for i in case.issues}
    assert field_error(case) <= 4.5  # up to half a voxel beyond the last centre the border goes on
    if spacing == "native":
        assert [s.file for s in case.slices] == [s.file for s in kept.slices]
    run, case = built(tmp_path, tilt="reject")
    assert case is None
    assert "geometry/gantry-tilt" in run.gate


def test_uneven_slices_are_put_on_even_spacing(tmp_path):
    write_series(tmp_path / "data", (0, 4, 8, 15, 22, 23.1, 27.1, 31.1, 35.1), tilt_deg=10.0)
    run, case = built(tmp_path)
    assert case is None
    assert "geometry/uneven-slice-spacing" in run.gate
    _, case = built(tmp_path, uneven="resample", tilt="resample")
    assert case.grid.slice_distance_mm == pytest.approx(4.0, abs=1e-6)
    assert field_error(case) <= 3.0
    assert sum(s.is_synthetic for s in case.slices) == 6


def test_too_much_missing_is_refused_whatever_the_policy(tmp_path):
    write_series(tmp_path / "data", (0, 3, 6, 9, 300))
    run, case = built(tmp_path, gaps="resample")
    assert case is None
    assert "read/too-many-gaps" in run.gate
