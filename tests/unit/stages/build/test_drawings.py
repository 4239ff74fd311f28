"""Masks of one file on the grid of the case."""

import numpy as np
import pytest

from isocenter.imaging.affine import canonical
from isocenter.imaging.resample import target_grid
from isocenter.imaging.shapes import MaskShape
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.stages.build.drawings import drawings_of, reorder_between

GRID = Grid((6, 10, 12), np.diag([-1.0, -1.0, 2.0, 1.0]))


def a_mask(concept: str, *boxes: tuple, **changes: object) -> Annotation:
    mask = np.zeros(GRID.shape, bool)
    for box in boxes:
        mask[box] = True
    return Annotation(id=concept, concept=concept, shape=MaskShape(mask, GRID), grid=GRID, **changes)


LEFT, RIGHT = np.s_[1:5, 2:8, 1:6], np.s_[1:5, 2:8, 6:11]
CRUMB = np.s_[5:6, 9:10, 0:1]


def test_neighbours_have_neither_gap_nor_overlap_between_them() -> None:
    thirds = [np.s_[1:5, 1:9, 1:5], np.s_[1:5, 1:5, 5:11], np.s_[1:5, 5:9, 5:11]]
    target = target_grid(GRID, (1.3, 1.7, 1.9))
    drawn = drawings_of(tuple(a_mask(n, b) for n, b in zip("abc", thirds, strict=True)), GRID, target, None)
    claims = sum(d.mask.astype(int) for d in drawn.values())
    whole = drawings_of((a_mask("all", *thirds),), GRID, target, None)["all"].mask
    assert claims.max() == 1
    assert (claims[whole] == 1).all()
    assert whole.sum() > 50


def test_what_overlaps_is_brought_over_by_itself() -> None:
    target = target_grid(GRID, (1.3, 1.7, 1.9))
    organ, lesion = a_mask("organ", LEFT, RIGHT), a_mask("lesion", np.s_[2:4, 3:6, 4:8])
    both = drawings_of((organ, lesion), GRID, target, None)
    for one in (organ, lesion):
        alone = drawings_of((one,), GRID, target, None)[one.concept]
        assert np.array_equal(both[one.concept].mask, alone.mask)
        assert both[one.concept].change == alone.change
    assert (both["organ"].mask & both["lesion"].mask).any()


def test_a_lost_piece_is_told_and_so_is_a_lost_label() -> None:
    target = target_grid(GRID, (4.0, 4.0, 4.0))
    absent = a_mask("heart", state=AnnotationState.ABSENT)
    asked = a_mask("spleen", state=AnnotationState.NOT_ANNOTATED)
    drawn = drawings_of((a_mask("a", LEFT, CRUMB), a_mask("b", CRUMB), absent, asked), GRID, target, None)
    assert sorted(drawn) == ["a", "b", "heart"]
    assert (drawn["a"].is_lost, drawn["b"].is_lost, drawn["heart"].is_lost) == (False, True, False)
    assert (drawn["a"].change.drawn_components_before, drawn["a"].change.vanished) == (2, 1)
    assert drawn["b"].change.vanished == 1
    assert drawn["b"].change.vanished_ml == pytest.approx(0.002)
    assert drawn["heart"].change.drawn_components_before == 0


@pytest.mark.parametrize("state", [AnnotationState.MARKED, AnnotationState.ABSENT])
def test_what_was_marked_without_a_voxel_is_lost_on_any_grid(state: AnnotationState) -> None:
    empty = a_mask("a", state=state)
    for grid in (GRID, target_grid(GRID, 1.5)):
        drawn = drawings_of((empty,), GRID, grid, reorder_between(GRID, grid))["a"]
        assert drawn.is_lost is (state is AnnotationState.MARKED)
        assert not drawn.mask.any()
        assert drawn.mask.shape == grid.shape


def test_another_order_of_the_voxels_is_no_resampling() -> None:
    turn = canonical(GRID)
    reorder = reorder_between(GRID, turn.grid)
    assert reorder is not None
    drawn = drawings_of((a_mask("a", LEFT), a_mask("a", CRUMB)), GRID, turn.grid, reorder)["a"]
    mask = np.zeros(GRID.shape, bool)
    mask[LEFT] = mask[CRUMB] = True
    assert np.array_equal(drawn.mask, mask[:, ::-1, ::-1])
    assert drawn.change.drawn_before_ml == drawn.change.drawn_after_ml == pytest.approx(mask.sum() * 0.002)
    assert (drawn.change.drawn_components_before, drawn.change.drawn_components_after) == (2, 2)
    assert reorder_between(GRID, target_grid(GRID, 1.5)) is None
