import numpy as np

from isocenter.base import seeds
from isocenter.testing.simulate.builds import individual
from isocenter.testing.simulate.phantom import patient


def pair(number):
    stream = seeds.stream(0, "builds", number)
    plain = patient(stream, lesions=2, steps_mm=(4, 4, 5), coverage_mm=(380, 380, 120))
    return plain, individual(plain, stream)


def test_heart_lesions_and_vessels_stay():
    plain, own = pair(1)
    assert own.middle == plain.middle
    for tissue in ("heart", "lesion"):
        assert own.solids(tissue) == plain.solids(tissue)
    assert set(plain.solids("vessel")) <= set(own.solids("vessel"))


def test_lesions_are_painted_last():
    _, own = pair(1)
    assert [p.tissue for p in own.parts[-2:]] == ["lesion", "lesion"]


def test_no_two_are_alike():
    bodies = {pair(n)[1].solids("fat")[0].radii for n in range(20)}
    assert len(bodies) == 20


def test_the_same_draw_is_the_same_person():
    assert pair(3)[1] == pair(3)[1]


def test_lungs_lie_within_the_body():
    for number in range(30):
        _, own = pair(number)
        wide = own.solids("fat")[0].radii[0]
        for lung in own.solids("lung"):
            assert abs(lung.centre[0] - own.middle[0]) + lung.radii[0] < wide + 5
            assert np.all(np.array(lung.radii) > 20)
