"""Boxes of raters who looked at all, at parts, or drew masks."""

import numpy as np

from isocenter.imaging.instances import instances_of
from isocenter.model.annotation import AnnotationState
from isocenter.model.grid import Grid
from isocenter.stages.build.boxes import boxes_of_raters, fused_boxes
from isocenter.stages.build.consensus import Vote
from isocenter.stages.build.opinions import Opinions
from isocenter.stages.build.options import AgreementOptions

GRID = Grid((4, 4, 4), np.eye(4))
BOX, FAR = (0.0, 0.0, 0.0, 2.0, 2.0, 2.0), (2.5, 2.5, 2.5, 3.5, 3.5, 3.5)
MARKED, ABSENT, PARTIAL = AnnotationState.MARKED, AnnotationState.ABSENT, AnnotationState.PARTIAL


def opinion(opinions, rater, *boxes, known=None, state=MARKED):
    found = opinions.of("lesion", rater)
    found.add(state if known is None else PARTIAL, known=known)
    found.boxes += boxes
    return found


def seen(*slices):
    out = np.zeros(GRID.shape, bool)
    out[list(slices)] = True
    return out


def fused(opinions, **options):
    boxes = boxes_of_raters(opinions, {}, GRID)
    return [box for _, box in fused_boxes(boxes, opinions, AgreementOptions(**options))]


def test_who_looked_at_all_decides():
    opinions = Opinions()
    opinion(opinions, "a", BOX)
    opinion(opinions, "b", FAR, known=seen(3))
    assert fused(opinions) == [BOX]
    assert fused(opinions, method="single", rater="b") == [FAR]


def test_where_all_looked_at_parts_every_box_counts():
    opinions = Opinions()
    opinion(opinions, "a", BOX, known=seen(0, 1))
    opinion(opinions, "b", FAR, known=seen(3))
    assert fused(opinions) == [BOX, FAR]


def test_who_found_nothing_votes_and_who_spoke_of_the_class_alone_does_not():
    opinions = Opinions()
    opinion(opinions, "a", BOX)
    opinions.of("lesion", "b").votes.append(False)
    opinions.of("lesion", "b").add(ABSENT)
    assert fused(opinions) == [BOX]
    opinion(opinions, "c", state=ABSENT)
    assert fused(opinions) == []


def test_points_have_boxes_where_their_size_is_known():
    opinions = Opinions()
    opinion(opinions, "a").points += [(1.0, 1.0, 1.0, 2.0), (2.0, 2.0, 2.0, 0.0)]
    assert boxes_of_raters(opinions, {}, GRID) == {"lesion": {"a": [BOX]}}
    opinions = Opinions()
    opinion(opinions, "a").points.append((2.0, 2.0, 2.0, 0.0))
    assert boxes_of_raters(opinions, {}, GRID) == {}


def test_boxes_around_lesions_of_a_mask():
    mask = np.zeros(GRID.shape, bool)
    mask[1:3, 1, 1] = mask[3, 3, 3] = True
    opinions = Opinions()
    opinions.of("lesion", "a").add(MARKED, mask)
    votes = {"lesion": {"a": Vote(mask, None, tuple(instances_of(mask)))}}
    assert boxes_of_raters(opinions, votes, GRID) == {
        "lesion": {"a": [(0.5, 0.5, 0.5, 1.5, 1.5, 2.5), (2.5, 2.5, 2.5, 3.5, 3.5, 3.5)]}
    }
