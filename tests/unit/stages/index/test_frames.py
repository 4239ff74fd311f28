"""Frames of one object are slices like any others; an object without rows for its frames stays alone."""

from pathlib import Path

import numpy as np
import pytest

from isocenter.model.rows import FrameRow
from isocenter.stages.index import frames as module
from isocenter.stages.index.options import Source
from isocenter.stages.index.subjects import SubjectFinder
from tests.unit.stages.grouping import Found, grouped
from tests.unit.stages.rows import AXIAL, NAMES, a_slice, file_of


def an_object(number=0, **changes):
    """An enhanced object: its own header says nothing of places."""
    return a_slice(
        number, **{"frames": 6, "position_mm": (), "orientation": (), "pixel_spacing_mm": ()} | changes
    )


def frames_of(row, places, **values):
    return [
        FrameRow(
            file_id=row.file_id,
            frame=n,
            orientation=AXIAL,
            position_mm=(10.0, 20.0, 2.5 * place),
            pixel_spacing_mm=(0.7, 0.8),
            **{k: v(n) for k, v in values.items()},
        )
        for n, place in enumerate(places)
    ]


def made_of(rows, frames):
    finders = [SubjectFinder(Source(path="", site="site-1"), NAMES, None)]
    found = [Found(row=file_of(r), instance=r) for r in rows]
    return grouped(found, finders, {}, [Path()], NAMES, frames=frames)


def test_frames_lie_where_their_own_groups_put_them():
    row = an_object()
    made = made_of([row], frames_of(row, (3, 1, 2, 0, 5, 4), rescale_slope=lambda n: 1.0 + n))
    [stack] = made.stacks
    assert stack.files == (row.file_id,) * 6
    assert stack.frames == (3, 1, 2, 0, 5, 4)
    assert (stack.shape, stack.multi_frame, set(stack.instances)) == (
        (6, 6, 5), True, {NAMES.of("sop", row.sop_instance_uid)},
    )  # fmt: skip
    assert np.allclose(np.diff(stack.positions_mm), 2.5)
    assert stack.rescale_slopes == (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    assert made.series[0].n_instances == 1


def test_a_frame_without_a_value_has_that_of_its_object():
    row = an_object(echo_time_ms=4.6, rescale_slope=2.0, orientation=AXIAL)
    rows = [
        FrameRow(file_id=row.file_id, frame=n, position_mm=(0.0, 0.0, 3.0 * n), pixel_spacing_mm=(1.0, 1.0), echo_time_ms=9.0)
        for n in range(6)
    ]  # fmt: skip
    [stack] = made_of([row], rows).stacks
    assert (stack.rescale_slopes, stack.attribute("echo_time_ms")) == ((2.0,), "9")


def test_two_times_in_one_object_are_two_stacks_of_one_group():
    row = an_object()
    frames = frames_of(row, (0, 1, 2, 0, 1, 2), temporal_position=lambda n: 1 + n // 3)
    first, second = sorted(made_of([row], frames).stacks, key=lambda s: s.axis_index)
    assert (first.frames, second.frames) == ((0, 1, 2), (3, 4, 5))
    assert first.group == second.group
    assert first.id != second.id
    assert [(s.axis, s.axis_index, s.axis_count, s.axis_value) for s in (first, second)] == [
        ("time", 0, 2, 1.0), ("time", 1, 2, 2.0),
    ]  # fmt: skip


def test_tiles_have_the_size_of_their_windows():
    row = an_object(frames=1, rows=12, columns=15)
    frames = frames_of(row, (0, 1, 2), window=lambda n: (0, 5 * n, 6, 5))
    [stack] = made_of([row], frames).stacks
    assert (stack.shape, stack.multi_frame, stack.frames) == ((3, 6, 5), True, (0, 1, 2))


def test_an_object_without_rows_for_its_frames_stays_alone():
    row, plain = an_object(), [a_slice(n) for n in range(1, 4)]
    made = made_of([row, an_object(9), *plain], frames_of(row, range(6)))
    assert sorted((len(s.files), s.multi_frame) for s in made.stacks) == [(1, True), (3, False), (6, True)]


@pytest.mark.parametrize("modality", ["XA", "US", "RTDOSE"])
def test_frames_of_projections_and_dose_grids_are_no_slices(modality):
    row = an_object(modality=modality)
    [stack] = made_of([row], frames_of(row, range(6))).stacks
    assert (stack.files, stack.frames) == ((row.file_id,), (0,))


def test_stacks_do_not_depend_on_where_tables_are_cut(monkeypatch):
    rows = [an_object(n, series_uid=f"1.{n // 2}") for n in range(6)]
    frames = [f for r in rows for f in frames_of(r, range(6), temporal_position=lambda _: 1)]
    whole = made_of(rows, frames)
    monkeypatch.setattr(module, "_ROWS", 7)
    assert made_of(rows, frames).stacks == whole.stacks
