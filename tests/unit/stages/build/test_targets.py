"""What became of labels on the grid of a case: facts in its row, and issues."""

import numpy as np
import pytest

from isocenter.model.issue import Issue
from isocenter.model.rows import CaseRow
from tests.unit.stages.cohort import BOX, Cohort

LESION, CRUMB = np.s_[0:4, 0:4, 0:4], np.s_[7:8, 6:7, 5:6]


@pytest.fixture
def cohort(tmp_path):
    return Cohort(tmp_path)


def test_a_small_lesion_beside_a_large_one_is_not_lost_silently(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (1, LESION), (1, CRUMB), (2, np.s_[4:7, 0:3, 0:3]))
    cohort.run(standardise={"spacing": [2.0, 2.0, 2.0]}, screen={"select": ["annotation"]})
    [row] = cohort.rows("cases", CaseRow)
    states = {s.label: s for s in row.labels}
    lesion = states["lesion"]
    assert lesion.state == "positive"
    assert (lesion.drawn_components_before, lesion.drawn_components_after, lesion.vanished) == (2, 1, 1)
    assert lesion.drawn_before_ml == pytest.approx(0.065)
    assert lesion.vanished_ml == pytest.approx(0.001)
    assert lesion.drawn_after_ml == pytest.approx(lesion.volume_ml) == pytest.approx(0.064, rel=0.5)
    assert (states["heart"].drawn_components_before, states["heart"].vanished) == (1, 0)
    [record] = cohort.records()
    assert record.labels == row.labels
    assert record.verdict == "review"
    [told] = [i for i in cohort.rows("issues", Issue) if i.rule == "annotation/vanished-component"]
    assert told.target == row.id
    assert "1 of 2 pieces of lesion" in told.message


def test_a_case_on_its_own_grid_has_the_same_facts_before_and_after(cohort):
    cohort.ct()
    cohort.mask("p/mask1.nii", (1, BOX), (1, CRUMB))
    cohort.run(screen={"select": ["annotation"]})
    [row] = cohort.rows("cases", CaseRow)
    lesion = {s.label: s for s in row.labels}["lesion"]
    assert lesion.drawn_before_ml == lesion.drawn_after_ml == lesion.volume_ml == pytest.approx(0.019)
    assert (lesion.drawn_components_before, lesion.drawn_components_after, lesion.vanished) == (2, 2, 0)
    assert "annotation/vanished-component" not in {i.rule for i in cohort.rows("issues", Issue)}


def test_drawings_of_several_raters_add_up(cohort):
    cohort.ct()
    for n in range(3):
        cohort.mask(f"p/mask{n}.nii", (1, BOX))
    cohort.run()
    [row] = cohort.rows("cases", CaseRow)
    lesion = {s.label: s for s in row.labels}["lesion"]
    assert lesion.volume_ml == pytest.approx(0.018)
    assert lesion.drawn_before_ml == lesion.drawn_after_ml == pytest.approx(0.054)
    assert (lesion.drawn_components_before, lesion.drawn_components_after) == (3, 3)
