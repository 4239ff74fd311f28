"""The builders make clean subjects and take what they are told."""

import numpy as np

from isocenter.testing.rules import (
    a_case,
    a_consensus,
    a_row,
    a_split,
    a_stack,
    a_volume,
    an_annotation,
    clean_subjects,
)


def test_a_stack_follows_its_positions() -> None:
    stack = a_stack(positions_mm=(0, 1, 2, 3))
    assert (len(stack.files), stack.shape, stack.spacing_mm) == (4, (4, 32, 32), (1.0, 0.8, 0.8))
    assert np.allclose(stack.grid.affine, np.diag([-0.8, -0.8, 1.0, 1.0]))
    assert stack.slice_distance_mm == 1.0


def test_changes_win() -> None:
    assert a_stack(positions_mm=(0, 1), files=("x",), modality="MR").files == ("x",)
    assert a_split(a_row("a", "train"), seed=7).seed == 7
    assert a_case(subject="other").subject == "other"


def test_subjects_are_made_anew_and_alike() -> None:
    first, second = a_volume(), a_volume()
    assert first.array is not second.array
    assert np.array_equal(first.array, second.array)
    assert first.array.dtype == np.int16


def test_annotation_consensus_and_case_mark_the_same_voxels() -> None:
    marked = an_annotation()
    assert np.array_equal(marked.mask(marked.grid), a_consensus().masks["lesion"])
    assert np.array_equal(a_case().mask != 0, a_consensus().masks["lesion"])


def test_every_noun_has_a_clean_subject() -> None:
    assert len({type(s) for s in clean_subjects()}) == 8
