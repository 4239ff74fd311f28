from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from isocenter.base.errors import ConfigError
from isocenter.imaging.descriptor import descriptor_of
from isocenter.model.grid import Grid
from isocenter.stages.audit.near_duplicates import pairs
from isocenter.testing.copies import LISTED

SHAPE = (20, 48, 48)


def person(seed):
    noise = np.random.default_rng(seed).normal(size=SHAPE)
    return np.rint(ndimage.gaussian_filter(noise, 2.5) * 9000).astype(np.int16), Grid(
        SHAPE, np.diag([2.0, 2, 4, 1])
    )


@pytest.fixture(scope="module")
def people():
    return {f"p{n}": descriptor_of(*person(n)) for n in range(6)}


def copy_of(seed, kind):
    return descriptor_of(*LISTED[kind](*person(seed)))


def test_strangers_are_no_pairs(people):
    assert pairs(people) == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("other slope and type", "same-pixels"),
        ("noise of 5 %", "near-duplicate"),
        ("resampled, larger pixels", "near-duplicate"),
        ("mirrored along i", "mirrored"),
        ("crop of 20 %, one end", "cropped"),
    ],
)
def test_each_copy_is_told_by_its_kind(people, kind, expected):
    (found,) = pairs({**people, "q": copy_of(2, kind)})
    assert (found.a, found.b, found.kind) == ("p2", "q", expected)
    assert 0.8 < found.score <= 1


def test_every_two_copies_of_the_same_pixels_are_a_pair(people):
    copies = {f"q{n}": copy_of(1, "other slope and type") for n in range(3)}
    found = pairs({**people, **copies})
    both = [("p1", "q0"), ("p1", "q1"), ("p1", "q2"), ("q0", "q1"), ("q0", "q2"), ("q1", "q2")]
    assert [(p.a, p.b) for p in found] == both


def test_what_is_like_one_image_is_like_its_equals(people):
    some = {**people, "a": people["p2"], "q": copy_of(2, "noise of 5 %"), "r": copy_of(2, "noise of 5 %")}
    found = {(p.a, p.b): p.kind for p in pairs(some)}
    alike = {(a, b): "near-duplicate" for a in ("a", "p2") for b in ("q", "r")}
    assert found == {("a", "p2"): "same-pixels", ("q", "r"): "same-pixels", **alike}


def test_pairs_of_many_equals_do_not_grow_with_their_square(people, monkeypatch):
    monkeypatch.setattr("isocenter.stages.audit.near_duplicates.EQUALS", 2)
    copies = {f"q{n}": people["p0"] for n in range(4)}
    likes = {f"r{n}": copy_of(0, "noise of 5 %") for n in range(3)}
    found = [(p.a, p.b) for p in pairs({**copies, **likes})]
    assert len(set(found)) == len(found) == (3 + 2) + (2 + 1) + 2 * 3 + 2 * 2
    assert not {("q2", "q3"), ("q3", "r2")} & set(found)
    assert {("q0", "r2"), ("q3", "r1"), ("q1", "q3")} <= set(found)


def test_names_alone_decide_the_order(people):
    some = {**people, "a": copy_of(3, "mirrored along j"), "z": copy_of(0, "window of 90 %")}
    turned = dict(reversed(list(some.items())))
    assert pairs(some) == pairs(turned) == pairs(some, jobs=2)
    assert [(p.a, p.b) for p in pairs(some)] == [("a", "p3"), ("p0", "z")]


def test_the_threshold_is_the_users(people):
    some = {**people, "q": copy_of(2, "rotated by 8 degrees")}
    (found,) = pairs(some)
    assert pairs(some, alike=found.score + 0.001) == []


def test_blank_images_are_no_copies_of_each_other():
    blank = np.zeros(SHAPE, np.int16), Grid(SHAPE, np.eye(4))
    assert pairs({"a": descriptor_of(*blank), "b": descriptor_of(*blank)}) == []


def test_versions_are_not_mixed(people):
    with pytest.raises(ConfigError, match="version 99"):
        pairs({**people, "q": replace(people["p0"], version=99)})
