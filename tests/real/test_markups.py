"""Markups that 3D Slicer itself wrote."""

import numpy as np
import pytest

import isocenter as iso
from isocenter.imaging.shapes import BoxShape

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def root(real_data):
    return real_data / "markups"


def test_a_document_of_three_points(root):
    found = iso.read_annotations(root / "slicer_docs/example0.mrk.json")
    assert [a.concept for a in found] == ["F-1", "F-2", "F-3"]
    expected = np.array([53.388409961685827, 73.33572796934868, 0.0])
    assert np.allclose(found[0].shape.points_mm, expected)


def test_a_list_in_lps(root):
    found = iso.read_annotations(root / "slicer_docs/example.fcsv")
    assert [a.concept for a in found] == ["F-1", "F-2", "F-3"]
    assert np.allclose(found[0].shape.points_mm, [19.9067, -13.9347, 29.442970822])


@pytest.mark.parametrize(
    "name", ["Testing/Data/Input/midsag.fcsv", "Modules/Loadable/Markups/Testing/Data/Input/slicer3.fcsv"]
)
def test_a_list_of_slicer_3_is_ras(name, root):
    found = iso.read_annotations(root / name)
    assert len(found) == 56
    assert (found[0].concept, found[0].shape.points_mm.tolist()) == ("midsag2", [[12.5, -93.5, 7.5]])


def test_annotations_of_slicer_4(root):
    folder = root / "Modules/Loadable/Markups/Testing/Data/Input/AnnotationTest"
    found = {p.stem: iso.read_annotations(p)[0] for p in sorted(folder.glob("*.acsv"))}
    assert len(found) == 10
    assert all(a.concept == name for name, a in found.items())
    assert found["F"].shape.points_mm.tolist() == [[137.232, 0, 85.9229]]
    assert found["M"].shape.is_line
    assert found["M"].shape.length_mm == pytest.approx(131.49, abs=0.01)
    low, high = np.array((164.232, -48.7013, 0)), np.array((12.4459, 18.3983, 12.4459))
    assert isinstance(found["R"].shape, BoxShape)
    assert np.allclose(found["R"].shape.lo_mm, low - high)
    assert np.allclose(found["R"].shape.hi_mm, low + high)
