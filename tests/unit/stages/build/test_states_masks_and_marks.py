"""Masks beside boxes, points and class labels of the same label, and raters who saw parts of an image."""

from dataclasses import replace

import numpy as np
import pytest

from isocenter.agreement.ballot import Fused
from isocenter.agreement.staple import estimate
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.reasons import because
from isocenter.model.task import Channel, Label, Task, TaskContract
from isocenter.stages.build import consensus
from isocenter.stages.build.consensus import agreed_of
from isocenter.stages.build.gather import Gathered
from isocenter.stages.build.opinions import Opinions
from isocenter.stages.build.options import AgreementOptions
from isocenter.stages.build.states import doubted_of, is_contradicted, known_of, states_of
from tests.unit.stages.build.test_gather import gathered, mask, plan

SHAPE = (8, 9, 10)
GRID = Grid(SHAPE, np.eye(4))
CONTRACT = TaskContract(
    task=Task.SEGMENTATION,
    labels={"lesion": Label(value=1)},
    channels={"ct": Channel(modality="CT")},
    reference="ct",
)
BOX = (1.5, 1.5, 1.5, 4.5, 4.5, 3.5)
IN_BOX = np.zeros(SHAPE, bool)
IN_BOX[2:4, 2:5, 2:5] = True


def judged(opinions, contract=CONTRACT):
    """The state of the label, what is known of it, whether it is told, and its mask."""
    agreed = agreed_of(opinions, GRID, contract, AgreementOptions())
    of = Gathered(opinions=opinions)
    states = states_of(contract, of, agreed, {}, {}, GRID)
    known = known_of(contract, states, of, agreed, GRID).get("lesion")
    doubted = doubted_of("lesion", contract, of, agreed, GRID)
    is_told = doubted is not None and is_contradicted(doubted, opinions["lesion"])
    return states[0].state, known, is_told, agreed.consensus.masks["lesion"]


def empty(**said):
    """A rater who drew nothing, and said something else nonetheless."""
    opinions = Opinions()
    opinion = opinions.of("lesion", "anna")
    opinion.add(AnnotationState.ABSENT, np.zeros(SHAPE, bool))
    for name, what in said.items():
        setattr(opinion, name, what)
    return opinions


def test_an_empty_mask_is_negative():
    assert judged(empty())[:3] == ("negative", None, False)
    assert judged(empty(votes=[False], slice_votes={3: False}))[:3] == ("negative", None, False)


@pytest.mark.parametrize("said", [{"points": [(3.0, 3.0, 3.0, 2.0)]}, {"votes": [True]}])
def test_nothing_is_known_where_a_point_or_a_class_label_contradicts_an_empty_mask(said):
    state, known, is_told, _ = judged(empty(**said))
    assert (state, is_told) == ("partial", True)
    assert not known.any()


def test_a_box_contradicts_an_empty_mask_inside_of_it():
    state, known, is_told, drawn = judged(empty(boxes=[BOX]))
    assert (state, is_told) == ("partial", True)
    np.testing.assert_array_equal(known, ~IN_BOX)
    assert not drawn.any()


def test_a_slice_with_a_class_contradicts_an_empty_mask_on_it():
    state, known, is_told, _ = judged(empty(slice_votes={2: True, 5: False}))
    assert (state, is_told) == ("partial", True)
    assert known.all(axis=(1, 2)).tolist() == [n != 2 for n in range(8)]
    assert not known[2].any()


def test_boxes_are_filled_beside_an_empty_mask_where_the_task_asks():
    state, known, is_told, drawn = judged(empty(boxes=[BOX]), replace(CONTRACT, boxes_as_masks=True))
    assert (state, known, is_told) == ("positive", None, False)
    np.testing.assert_array_equal(drawn, IN_BOX)


def test_a_box_in_which_its_rater_outlined_voxels_leaves_nothing_open():
    opinions = empty(boxes=[BOX])
    inside = np.zeros(SHAPE, bool)
    inside[2, 3, 3] = True
    opinions.of("lesion", "anna").add(AnnotationState.MARKED, inside)
    assert judged(opinions)[:3] == ("positive", None, False)
    drawn = judged(opinions, replace(CONTRACT, boxes_as_masks=True))[3]
    np.testing.assert_array_equal(drawn, inside)


def test_slices_of_a_class_alone_contradict_nothing():
    opinions = Opinions()
    opinion = opinions.of("lesion", "")
    absent = np.zeros(SHAPE, bool)
    absent[5] = True
    opinion.add(AnnotationState.PARTIAL, np.zeros(SHAPE, bool), absent)
    opinion.slice_votes = {2: True, 5: False}
    opinion.votes = [True]
    state, known, is_told, _ = judged(opinions)
    assert (state, is_told) == ("partial", False)
    np.testing.assert_array_equal(known, absent)


def drawn(voxels):
    out = np.zeros(SHAPE, bool)
    out[voxels] = True
    return out


def in_parts():
    """Anna saw all, bert and carl the lower slices, dora and anna alone the last one."""
    lower, last = drawn(np.s_[:5]), drawn(np.s_[7:])
    anna = drawn(np.s_[1:8, 2:6, 2:6])
    opinions = Opinions()
    opinions.of("lesion", "anna").add(AnnotationState.MARKED, anna)
    opinions.of("lesion", "bert").add(AnnotationState.PARTIAL, drawn(np.s_[1:5, 2:7, 2:6]), lower)
    opinions.of("lesion", "carl").add(AnnotationState.PARTIAL, drawn(np.s_[2:5, 2:6, 3:6]), lower)
    opinions.of("lesion", "dora").add(AnnotationState.PARTIAL, drawn(np.s_[7:8, 2:6, 2:5]), last)
    return opinions, lower, last


def test_who_did_not_look_casts_no_vote_in_staple():
    """Each part is what STAPLE makes of the voxels of that part alone."""
    opinions, lower, last = in_parts()
    made = agreed_of(opinions, GRID, CONTRACT, AgreementOptions(method="staple")).consensus
    masks = {rater: opinion.mask for rater, opinion in opinions["lesion"].items()}
    below = estimate({r: masks[r][:5] for r in ("anna", "bert", "carl")}, tie_is_foreground=False)
    above = estimate({r: masks[r][7:] for r in ("anna", "dora")}, tie_is_foreground=False)
    np.testing.assert_array_equal(made.masks["lesion"][lower], below.mask.reshape(-1))
    np.testing.assert_array_equal(made.masks["lesion"][last], above.mask.reshape(-1))
    told = {p.rater: (p.sensitivity, p.specificity) for p in made.performances}
    assert sorted(told) == ["anna", "bert", "carl", "dora"]
    expected = {p.rater: (p.sensitivity, p.specificity) for p in (*above.performances, *below.performances)}
    for rater, numbers in told.items():
        assert numbers == pytest.approx(expected[rater], abs=1e-9)


def test_what_a_method_says_of_any_part_is_told_once(monkeypatch):
    """The largest part has nothing to tell here, two smaller ones tell the same."""

    def fuse(ballot):
        issues = () if len(ballot.masks) == 3 else (because("build/staple-inverted"),)
        return Fused(mask=next(iter(ballot.masks.values())), issues=issues)

    monkeypatch.setattr(consensus.METHODS, "get", lambda name: fuse)
    opinions, _, _ = in_parts()
    made = agreed_of(opinions, GRID, CONTRACT, AgreementOptions(method="staple")).consensus
    assert [i.rule for i in made.issues] == ["build/staple-inverted"]


def test_lesions_of_a_file_do_not_hang_on_other_files(monkeypatch):
    """One key is its pieces, several keys are a lesion each."""
    three = Annotation(id="a", concept="lesion", shape=mask((0, 0, 0), (2, 2, 2), (0, 4, 4)))
    contract = TaskContract(
        task=Task.SEGMENTATION, labels={"lesion": Label(value=1)}, channels=CONTRACT.channels, reference="ct",
        instances=True,
    )  # fmt: skip
    for files, count in ((1, 3), (2, 6)):
        plans = [plan("lesion", id=f"ann-{n}") for n in range(files)]
        out = gathered(monkeypatch, *plans, found=[three], contract=contract)
        assert len(out.opinions.of("lesion", "").parts) == count
    keys = [three, Annotation(id="a", concept="lesion", shape=mask((3, 0, 0), (3, 2, 2)))]
    out = gathered(monkeypatch, plan("lesion", "lesion"), found=keys, contract=contract)
    assert len(out.opinions.of("lesion", "").parts) == 2
