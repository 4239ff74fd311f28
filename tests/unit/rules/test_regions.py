"""Regions of a case: every label once, whatever form the masks have."""

import numpy as np

from isocenter.rules.regions import regions_of
from isocenter.testing.rules import a_case


def test_a_label_map_has_one_region_per_value() -> None:
    mask = np.zeros((5, 32, 32), np.uint16)
    mask[1:3, 4:6, 7:9] = 300
    mask[0, 0, 0] = 2
    regions = list(regions_of(a_case(mask=mask)))
    assert [(r.name, r.count) for r in regions] == [("label 2", 1), ("label 300", 8)]
    assert regions[1].box == (slice(1, 3), slice(4, 6), slice(7, 9))


def test_neighbouring_labels_share_a_box_but_no_voxel() -> None:
    mask = np.zeros((5, 32, 32), np.uint8)
    mask[2, 2:6, 2:6] = 1
    mask[2, 3, 3] = 2
    assert [r.count for r in regions_of(a_case(mask=mask))] == [15, 1]


def test_layers_count_from_one_and_empty_ones_are_left_out() -> None:
    layers = np.zeros((3, 5, 32, 32), np.uint8)
    layers[0, 1, 1, 1] = layers[2, 1, 1, 1:3] = 1
    assert [(r.value, r.count) for r in regions_of(a_case(mask=layers))] == [(1, 1), (3, 2)]


def test_no_masks_no_regions() -> None:
    assert list(regions_of(a_case(mask=None))) == []
    assert list(regions_of(a_case(mask=np.zeros((5, 32, 32), np.uint8)))) == []
