import numpy as np
import pytest

from isocenter.imaging.descriptor import Descriptor
from isocenter.imaging.spectrum import PARTS
from isocenter.stages.audit import candidates as module
from isocenter.stages.audit.candidates import candidates


def with_vector(vector, is_flat=False):
    picture = np.zeros((1 if is_flat else 4, 4, 4), np.uint8)
    unit = (vector / max(np.linalg.norm(vector), 1e-9)).astype(np.float32)
    return Descriptor(exact="", vector=unit, picture=picture, extent_mm=(4.0, 4.0, 4.0))


def population(count, twins, seed=0, shared=3.0):
    """Random directions with much in common, and some almost equal ones at the end."""
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(count, sum(PARTS))) + shared * draw.normal(size=sum(PARTS))
    for n in range(twins):
        vectors[count - twins + n] = vectors[n] + draw.normal(size=sum(PARTS)) * 0.4
    return [with_vector(v) for v in vectors]


def test_of_few_images_all_pairs_are_looked_at():
    found, _ = candidates(population(10, 0), nearest=2)
    assert len(found) == 45
    assert (found[:, 0] < found[:, 1]).all()


@pytest.mark.parametrize("count", [130, 1100])
def test_twins_are_found_among_many_that_have_much_in_common(count):
    found = {tuple(p) for p in candidates(population(count, 20), nearest=3)[0].tolist()}
    assert {(n, count - 20 + n) for n in range(20)} <= found
    assert len(found) <= 3 * count


def test_blank_images_are_in_no_pair():
    some = [*population(5, 0), with_vector(np.zeros(sum(PARTS)))]
    assert 5 not in candidates(some, nearest=2)[0]


def test_planes_and_volumes_are_not_compared():
    some = [with_vector(np.ones(sum(PARTS)), is_flat=n % 2 == 0) for n in range(6)]
    assert {tuple(p) for p in candidates(some, nearest=9)[0].tolist()} == {
        (0, 2), (0, 4), (2, 4), (1, 3), (1, 5), (3, 5),
    }  # fmt: skip


def test_nothing_comes_of_nothing():
    assert candidates([], nearest=3)[0].shape == (0, 2)
    assert candidates(population(1, 0), nearest=3)[0].shape == (0, 2)


def test_what_is_too_much_is_counted(monkeypatch):
    some = population(10, 2)
    assert candidates(some, nearest=2)[1] == 0
    monkeypatch.setattr(module, "_MOST", 40)
    found, dropped = candidates(some, nearest=2)
    assert (len(found), dropped) == (40, 5)
