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


def test_several_copies_of_the_same_pixels_are_paired_with_the_first(people):
    copies = {f"q{n}": copy_of(1, "other slope and type") for n in range(3)}
    found = pairs({**people, **copies})
    assert [(p.a, p.b) for p in found] == [("p1", "q0"), ("p1", "q1"), ("p1", "q2")]


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
