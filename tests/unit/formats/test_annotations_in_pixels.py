import numpy as np
import pytest

import isocenter as iso
from isocenter.base.errors import FormatError
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.model.grid import Grid
from tests.contracts.files import (
    SHAPE,
    SQUARE,
    affine,
    coco_bytes,
    lidc_bytes,
    lidc_nodule,
    lidc_other,
    voc_bytes,
)

GRID = Grid(SHAPE, affine())
PICTURE = Grid((1, *SHAPE[1:]), affine())


def read(tmp_path, data, name):
    path = tmp_path / name
    path.write_bytes(data)
    return path, iso.read_annotations(path)


def test_readers_of_the_lidc_stay_apart(tmp_path):
    hole = [(3, 2), (5, 2), (5, 4), (3, 4)]
    data = lidc_bytes(
        [lidc_nodule((2, SQUARE, True), (4, SQUARE, True)), lidc_other(0, 2, 3)],
        [],
        [lidc_nodule((2, SQUARE, True), (2, hole, False)), lidc_nodule((4, [(7, 5)], True), name="small")],
    )
    path, found = read(tmp_path, data, "read.xml")
    absent = [a for a in found if a.state == "absent"]
    assert [(a.concept, a.rater) for a in absent] == [
        ("nodule under 3 mm", "reader 1"),
        ("nodule", "reader 2"),
        ("nodule under 3 mm", "reader 2"),
        ("non-nodule", "reader 2"),
        ("non-nodule", "reader 3"),
    ]
    found = [a for a in found if a.state == "marked"]
    assert [(a.concept, a.rater) for a in found] == [
        ("nodule", "reader 1"),
        ("non-nodule", "reader 1"),
        ("nodule", "reader 3"),
        ("nodule under 3 mm", "reader 3"),
    ]
    assert [int(a.mask(GRID).sum()) for a in found] == [2 * 4 * 2, 1, 4 * 2 - 1, 1]
    assert found[1].mask(GRID)[0, 3, 2]
    assert found[3].mask(GRID)[2, 5, 7]
    parts = ANNOTATIONS.get("lidc-xml").parts(path)
    assert [(p.id, p.shape) for p in parts if p.rater == "reader 3" and p.id] == [
        ("Geheimrat 1", "contours"),
        ("small", "points"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        lidc_bytes([lidc_nodule()]),
        lidc_bytes([lidc_nodule(("nowhere", SQUARE, True))]),
        lidc_bytes([lidc_nodule((2, SQUARE, "maybe"))]),
        lidc_bytes([lidc_nodule((2, SQUARE, True))])[:-20],
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>' + lidc_bytes()[21:],
        b"<other/>",
    ],
)
def test_broken_lidc_files_are_refused(data, tmp_path):
    path = tmp_path / "read.xml"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        ANNOTATIONS.get("lidc-xml").parts(path)


def test_boxes_of_voc_count_from_one_and_hold_their_last_pixel(tmp_path):
    _, found = read(
        tmp_path, voc_bytes(("wart", 2, 2, 5, 4), ("wart", 8, 6, 8, 6), ("mole", 1, 1, 1, 1)), "a.xml"
    )
    assert [(a.concept, a.on) for a in found] == [
        ("mole", "hidden-folder.png"),
        ("wart", "hidden-folder.png"),
    ]
    expected = np.zeros(PICTURE.shape, bool)
    expected[0, 1:4, 1:5] = expected[0, 5, 7] = True
    assert np.array_equal(found[1].mask(PICTURE), expected)
    assert np.argwhere(found[0].mask(PICTURE)).tolist() == [[0, 0, 0]]


def test_boxes_of_coco_by_picture_and_category(tmp_path):
    boxes = [(7, 2, [1, 1, 3, 2]), (5, 1, [0, 0, 2, 2]), (7, 2, [6, 4, 1, 1]), (7, 1, [0, 0, 1, 1])]
    path, found = read(tmp_path, coco_bytes(boxes), "a.json")
    assert [(a.on, a.concept) for a in found] == [
        ("5.png", "Geheimrat"),
        ("7.png", "Geheimrat"),
        ("7.png", "wart"),
    ]
    expected = np.zeros(PICTURE.shape, bool)
    expected[0, 1:3, 1:4] = expected[0, 4, 6] = True
    assert np.array_equal(found[2].mask(PICTURE), expected)
    with pytest.raises(FormatError):
        found[0].mask(GRID)
    assert [p.picture for p in ANNOTATIONS.get("coco").parts(path)] == ["5.png", "7.png", "7.png"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("voc", voc_bytes(("wart", 5, 2, 4, 4))),
        ("voc", voc_bytes(("wart", 5, 2, "nan", 4))),
        ("coco", coco_bytes([(7, 2, [1, 1, 0, 2])])),
        ("coco", coco_bytes([(7, 3, [1, 1, 1, 2])])),
        ("coco", coco_bytes([(7, 2, [1, 1, 2])])),
        ("coco", coco_bytes([], categories=[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}])),
    ],
)
def test_broken_boxes_are_refused(name, data, tmp_path):
    path = tmp_path / "boxes"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        ANNOTATIONS.get(name).parts(path)
