"""From a place in a packed case back to the file that was written for it."""

import numpy as np
import pydicom
import pytest

from isocenter.base import tables
from isocenter.base.errors import ConfigError, StaleArtefact
from isocenter.base.workspace import Workspace
from isocenter.model.rows import Stack
from isocenter.pipeline.slices import trace
from tests.unit.pipeline.dicom_series import write_series
from tests.unit.pipeline.test_policies import built

EVEN = (0, 3, 6, 9, 12, 15)
GAP = (0, 3, 6, 12, 15, 18)


def position_in(path):
    """Where the file itself says that its first voxel is, RAS+."""
    return np.array(pydicom.dcmread(path).ImagePositionPatient, dtype=float) * [-1, -1, 1]


@pytest.mark.parametrize("tilt_deg", [0.0, 18.0])
def test_every_slice_of_a_packed_case_leads_to_the_file_at_its_place(tmp_path, tilt_deg):
    write_series(tmp_path / "data", EVEN, tilt_deg=tilt_deg)
    run, case = built(tmp_path)
    for k in range(len(EVEN)):
        found = trace(run.workspace, case.id, [k])
        [source] = found.sources
        file = pydicom.dcmread(tmp_path / "data" / source.path)
        ijk = case.grid.to_voxel(position_in(tmp_path / "data" / source.path)[None])[0]
        assert ijk[2] == pytest.approx(k, abs=1e-4)
        voxel = np.rint(ijk).astype(int)
        assert np.asarray(case.image)[0][voxel[2], voxel[1], voxel[0]] == file.pixel_array[0, 0] - 1024
        assert (source.frame, source.instance, found.is_synthetic) == (0, case.slices[k].instance, False)
        corner = case.grid.to_world(np.array([[0.0, 0.0, k]]))[0]
        assert found.place_mm == pytest.approx(tuple(corner))


def test_a_synthetic_slice_leads_to_the_two_around_it(tmp_path):
    write_series(tmp_path / "data", GAP)
    run, case = built(tmp_path, gaps="resample")
    found = trace(run.workspace, case.id, [3])
    assert found.is_synthetic
    assert [s.path for s in found.sources] == ["s002.dcm", "s003.dcm"]
    told = "\n".join(found.lines())
    assert "nobody acquired it" in told
    assert "between two slices" in told
    assert [s.path for s in trace(run.workspace, case.id, [4]).sources] == ["s003.dcm"]
    assert not trace(run.workspace, case.id, [4]).is_synthetic


def test_a_resampled_place_leads_to_what_it_lies_between(tmp_path):
    write_series(tmp_path / "data", EVEN)
    run, case = built(tmp_path, spacing=[1.0, 1.0, 1.0])
    for k in range(case.grid.shape[0]):
        place = case.grid.to_world(np.array([[0.0, 0.0, k]]))[0][2]
        heights = [
            position_in(tmp_path / "data" / s.path)[2] for s in trace(run.workspace, case.id, [k]).sources
        ]
        assert min(heights) <= max(place, 30.0) + 1e-3
        assert max(heights) >= min(place, 45.0) - 1e-3
        assert max(heights) - min(heights) <= 3.001


def test_a_stack_by_its_id_in_its_own_order(tmp_path):
    write_series(tmp_path / "data", GAP)
    run, case = built(tmp_path)
    assert case is None
    [stack] = tables.read(Workspace(run.workspace).table("index", "stacks"), Stack)
    found = trace(run.workspace, stack.id, [3])
    [source] = found.sources
    assert (source.path, source.index) == ("s003.dcm", 3)
    assert "slice 3 of 6 x 20 x 24" in found.lines()[0]
    assert "s003.dcm, frame 0" in found.lines()[-1]


def test_a_case_cut_across_its_stack_has_no_slice_but_every_voxel_has(tmp_path):
    cosines = [0, 1, 0, 0, 0, -1]

    def origin(n):
        return [float(3 * n), -6.0, 40.0]

    write_series(
        tmp_path / "data",
        EVEN,
        ImageOrientationPatient=lambda n: cosines,
        ImagePositionPatient=origin,
    )
    run, case = built(tmp_path)
    across = trace(run.workspace, case.id, [4])
    assert across.sources == ()
    assert "ask for a voxel" in across.lines()[-1]
    for i in range(6):
        [source] = trace(run.workspace, case.id, [4, 5, i]).sources
        place = case.grid.to_world(np.array([[float(i), 5.0, 4.0]]))[0]
        assert position_in(tmp_path / "data" / source.path)[0] == pytest.approx(place[0])


@pytest.mark.parametrize(
    ("what", "at", "message"),
    [
        ("case-nope", [0], "a slice is one of a case or of a stack"),
        (None, [6], "k of .* goes from 0 to 5; there is no 6"),
        (None, [0, 0, 24], "i of .* goes from 0 to 23; there is no 24"),
        (None, [-1], "there is no -1"),
        (None, [1, 2], "a slice is one number"),
    ],
)
def test_what_is_not_there_is_told(tmp_path, what, at, message):
    write_series(tmp_path / "data", EVEN)
    run, case = built(tmp_path)
    with pytest.raises(ConfigError, match=message):
        trace(run.workspace, what or case.id, at)


def test_a_workspace_that_was_never_indexed_says_so(tmp_path):
    with pytest.raises(StaleArtefact):
        trace(tmp_path, "x", [0])
