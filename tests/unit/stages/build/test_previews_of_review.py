"""Pictures of a case that goes to a person: the planes where masks differ, with everybody's outline."""

from dataclasses import replace

import numpy as np

from isocenter.model.grid import Grid
from isocenter.model.task import Channel, Label, Task, TaskContract
from isocenter.stages.build.previews import previews_of
from isocenter.testing.rules import a_case

CONTRACT = TaskContract(
    task=Task.SEGMENTATION,
    labels={"lesion": Label(value=3), "cyst": Label(value=300)},
    channels={"ct": Channel(modality="CT")},
    reference="ct",
)
SHAPE = (8, 20, 24)


def block(value=3, *, k):
    mask = np.zeros(SHAPE, np.uint8)
    mask[k, 5:10, 6:12] = value
    return mask


def a_big_case(**changes):
    image = np.zeros((1, *SHAPE), np.int16)
    clean = a_case(image=image, mask=block(k=slice(1, 4)), grid=Grid(SHAPE, np.eye(4)), verdict="review")
    return replace(clean, **changes)


def drawn(row):
    return np.frombuffer(row.drawn, np.uint8).reshape(len(row.drawn_by), row.rows, row.columns)


def test_planes_go_where_raters_differ_most():
    raters = {"a": block(k=slice(1, 4)), "b": block(k=slice(1, 3)), "c": block(k=slice(1, 6))}
    raters["c"][5, 12:14, 6:12] = 3
    rows = previews_of(a_big_case(raters=raters), CONTRACT)
    axial = next(row for row in rows if row.plane == "axial")
    assert {row.through for row in rows} == {axial.through}
    assert axial.through[0] == 5
    assert axial.drawn_by == ("a", "b", "c")
    assert [int(mask.sum()) for mask in drawn(axial)] == [0, 0, 3 * 42]
    assert not np.frombuffer(axial.mask, np.uint8).any()


def test_what_was_not_taken_is_shown_where_it_would_be():
    held = {"b": block(k=slice(6, 7))}
    rows = previews_of(a_big_case(mask=np.zeros(SHAPE, np.uint8)), CONTRACT, held)
    axial = next(row for row in rows if row.plane == "axial")
    assert axial.drawn_by == ("b?",)
    assert axial.through[0] == 6
    assert (drawn(axial) != 0).sum() == 30


def test_a_case_that_is_kept_shows_its_consensus_alone():
    rows = previews_of(a_big_case(raters={"a": block(k=1), "b": block(k=2)}, verdict="keep"), CONTRACT)
    assert {(row.drawn_by, row.drawn) for row in rows} == {((), b"")}


def test_labels_keep_their_values_and_those_beyond_a_byte_are_the_last():
    layers = np.stack([block(1, k=2), np.roll(block(1, k=2), 9, axis=2)])
    rows = previews_of(a_big_case(mask=layers, verdict="keep"), CONTRACT)
    axial = next(row for row in rows if row.plane == "axial")
    assert set(axial.mask) == {0, 3, 255}
