"""Ways between frames of reference."""

import numpy as np

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.model.rows import AnnotationObject
from isocenter.stages.enrol.registrations import Registrations
from isocenter.testing.rules import a_stack

NAMES = Pseudonyms(b"0" * 32)


def shift(*by):
    matrix = np.eye(4)
    matrix[:3, 3] = by
    return matrix


def frames(**ways):
    out = Registrations(NAMES)
    for name, matrix in ways.items():
        out.add(*name, matrix)
    return out


def test_a_way_leads_back_too():
    found = frames(ab=shift(1, 2, 3))
    assert np.array_equal(found.between("a", "b"), shift(1, 2, 3))
    assert np.allclose(found.between("b", "a"), shift(-1, -2, -3))
    assert found.between("a", "c") is None
    assert found.between("c", "a") is None


def test_two_images_registered_to_a_third_are_connected():
    found = frames(ac=shift(1, 0, 0), bc=shift(0, 5, 0), cd=shift(0, 0, 9))
    assert np.allclose(found.between("a", "b"), shift(1, -5, 0))
    assert found.reached("a") == ["b", "c", "d"]


def test_a_direct_way_comes_before_any_other():
    found = frames(ac=shift(1, 0, 0), bc=shift(0, 5, 0), ab=shift(1, -5.5, 0))
    assert np.array_equal(found.between("a", "b"), shift(1, -5.5, 0))


def test_ways_that_differ_are_none():
    found = frames(ab=shift(1, 2, 3))
    found.add("a", "b", shift(1, 2, 3.01))
    assert found.between("a", "b") is not None
    found.add("a", "b", shift(1, 2, 4))
    assert found.between("a", "b") is None


def turn(degrees):
    angle = np.deg2rad(degrees)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def test_ways_that_turn_differ_by_how_far_they_take_a_point():
    # at the corner, 707 mm off the axis, 0.003 degrees are 0.037 mm and 0.005 degrees are 0.062 mm
    for degrees, is_same in ((2.5, False), (0.005, False), (0.003, True)):
        found = frames(ab=np.eye(4))
        found.add("a", "b", turn(degrees))
        assert (found.between("a", "b") is not None) is is_same, degrees
    # so they do about a frame's own origin that lies elsewhere
    found = frames(ab=shift(100, 0, 0) @ turn(2.5))
    found.add("a", "b", shift(100, 0, 0))
    assert found.between("a", "b") is None


def test_frames_differ_only_where_both_are_known():
    own = NAMES.of("for", "1.2.3")
    ways = Registrations(NAMES)
    ways.add(own, "frame-1", shift(7, 0, 0))

    def drawn(uid):
        return AnnotationObject(
            file_id="f", source=0, site="s", format="rtstruct", frame_of_reference_uid=uid
        )

    stack = a_stack(frame_of_reference="frame-1")
    assert ways.differ(drawn("1.2.3"), stack)
    assert ways.numbers(drawn("1.2.3"), stack) == tuple(shift(7, 0, 0).ravel())
    assert not ways.differ(drawn(None), stack)
    assert not ways.differ(drawn("1.2.3"), a_stack(frame_of_reference=""))
    assert not ways.differ(drawn("1.2.3"), a_stack(frame_of_reference=own))
    assert ways.numbers(drawn("1.2.3"), a_stack(frame_of_reference=own)) == ()
    assert ways.differ(drawn("9.9"), stack)
    assert ways.numbers(drawn("9.9"), stack) == ()
