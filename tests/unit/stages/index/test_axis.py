"""Volumes of one file as stacks of one set."""

import numpy as np
import pytest

from isocenter.model.rows import FrameRow
from tests.unit.stages.index.test_frames import made_of
from tests.unit.stages.plans import AFFINE, a_volume

TIMES_MS = (1000.0, 3500.0, 6000.0)


def stacks(times_ms, count=3):
    row, _ = a_volume("s/bold.nii", frames=count)
    frames = [FrameRow(file_id=row.file_id, frame=n, trigger_time_ms=t) for n, t in enumerate(times_ms)]
    made = made_of([row], frames)
    assert [i.rule for i in made.issues if i.rule != "index/no-subject"] == []
    return sorted(made.stacks, key=lambda s: s.axis_index)


@pytest.mark.parametrize(
    ("times_ms", "axis", "values"),
    [(TIMES_MS, "time", (1.0, 3.5, 6.0)), ((None,) * 3, "volume", (None,) * 3)],
)
def test_each_volume_of_a_file_is_a_stack_on_the_axis_that_the_file_names(times_ms, axis, values):
    found = stacks(times_ms)
    assert [(s.axis, s.axis_index, s.axis_count, s.axis_value) for s in found] == [
        (axis, n, 3, value) for n, value in enumerate(values)
    ]
    assert len({s.id for s in found}) == 3
    assert len({(s.group, s.series) for s in found}) == 1
    assert found[0].group != ""
    for n, stack in enumerate(found):
        assert (stack.frames, len(stack.files), stack.shape) == ((n,), 1, (6, 5, 4))
        assert np.array_equal(stack.affine, AFFINE)
        assert stack.group_slices == (1, 1, 1)


def test_a_file_of_one_volume_is_on_no_axis():
    row, _ = a_volume("s/t1.nii")
    [stack] = made_of([row], []).stacks
    assert (stack.axis, stack.group, stack.frames) == ("", "", (0,))
