"""Lesions of several raters, fused by hand-computed votes."""

import numpy as np
import pytest

from isocenter.agreement.instances import fuse_instances, group_instances
from isocenter.imaging.instances import as_one, instances_of, union_of

SHAPE = (1, 4, 20)


def row(*spans):
    return [as_one(box(a, b)) for a, b in spans]


def box(a, b):
    out = np.zeros(SHAPE, bool)
    out[0, 1, a:b] = True
    return out


def spans(instances):
    return [(one.start[2], one.box[5]) for one in instances]


def test_lesions_are_matched_before_they_are_fused():
    raters = {"a": row((0, 4), (10, 14)), "b": row((1, 5), (10, 14)), "c": row((0, 4))}
    assert spans(fuse_instances(raters)) == [(0, 4), (10, 14)]


def test_a_lesion_of_one_of_three_is_none():
    raters = {"a": row((0, 4)), "b": row((0, 4)), "c": row((0, 4), (12, 14))}
    assert spans(fuse_instances(raters)) == [(0, 4)]
    assert spans(fuse_instances(raters, method="union")) == [(0, 4), (12, 14)]


def test_who_looked_and_found_nothing_votes_against():
    raters = {"a": row((0, 4)), "b": [], "c": []}
    assert fuse_instances(raters) == []
    assert spans(fuse_instances({"a": row((0, 4)), "b": []}, tie="foreground")) == [(0, 4)]
    assert fuse_instances({"a": row((0, 4)), "b": []}) == []


def test_who_did_not_look_there_has_no_vote():
    raters = {"a": row((0, 4)), "b": [], "c": []}
    elsewhere = box(10, 20)
    looked = {"a": None, "b": elsewhere, "c": elsewhere}
    assert spans(fuse_instances(raters, looked=looked)) == [(0, 4)]


def test_touching_lesions_stay_apart():
    raters = {"a": row((0, 4), (4, 8)), "b": row((0, 4), (4, 8))}
    assert spans(fuse_instances(raters)) == [(0, 4), (4, 8)]


def test_never_two_lesions_of_one_rater_are_one():
    raters = {"a": row((0, 3), (4, 8)), "b": row((0, 8))}
    groups = group_instances(raters)
    assert sorted(sorted(g) for g in groups) == [["a"], ["a", "b"]]
    [pair] = [g for g in groups if len(g) == 2]
    assert spans([pair["a"]]) == [(4, 8)]  # Dice 2 * 4 / 12, the other 2 * 3 / 11


def test_one_rater_decides_alone():
    raters = {"a": row((0, 4)), "b": row((2, 6))}
    assert spans(fuse_instances(raters, method="single", rater="b")) == [(2, 6)]
    assert fuse_instances(raters, method="single", rater="c") == []
    assert spans(fuse_instances({"a": row((0, 4))})) == [(0, 4)]


@pytest.mark.parametrize("method", ["majority", "union", "intersection", "staple", "soft-mean"])
def test_what_all_drew_alike_stays(method):
    rng = np.random.default_rng(3)
    mask = rng.random((6, 12, 14)) < 0.06
    drawn = instances_of(mask)
    fused = fuse_instances({"a": drawn, "b": drawn, "c": drawn}, method=method)
    assert len(fused) == len(drawn) > 10
    np.testing.assert_array_equal(union_of(fused, mask.shape), mask)
