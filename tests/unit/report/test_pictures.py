import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from isocenter.report.pictures import outlines, png_uri


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (5, 8), (64, 48)])
def test_another_library_reads_the_same_pixels(shape: tuple[int, int]):
    grey = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    uri = png_uri(grey)
    head, data = uri.split(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        assert picture.mode == "L"
        assert np.array_equal(np.asarray(picture), grey)


def edges_of(path: str) -> list[tuple[int, int, str, int]]:
    return [(int(x), int(y), d, int(n)) for x, y, d, n in re.findall(r"M(\d+) (\d+)([hv])(\d+)", path)]


def test_outline_of_a_rectangle_is_its_four_sides():
    mask = np.zeros((6, 8), np.uint8)
    mask[1:4, 2:7] = 3
    (path,) = re.findall(r'd="([^"]*)"', outlines(mask, [3]))
    assert sorted(edges_of(path)) == sorted([(2, 1, "h", 5), (2, 4, "h", 5), (2, 1, "v", 3), (7, 1, "v", 3)])


def test_outline_is_as_long_as_the_perimeter():
    mask = np.random.default_rng(1).integers(0, 2, (20, 30), dtype=np.uint8)
    (path,) = re.findall(r'd="([^"]*)"', outlines(mask, [1]))
    perimeter = sum(
        int(not (0 <= r + dr < 20 and 0 <= c + dc < 30 and mask[r + dr, c + dc]))
        for r, c in np.argwhere(mask)
        for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0))
    )
    assert sum(n for *_, n in edges_of(path)) == perimeter


def test_labels_keep_their_colour_and_the_first_is_on_top():
    mask = np.array([[1, 2, 0, 9]], np.uint8)
    drawn = outlines(mask, [1, 2, 5])
    assert re.findall(r'class="(outline-[^"]*)"', drawn) == ["outline-1", "outline-0"]
    assert outlines(np.zeros((3, 3), np.uint8), [1]) == ""


def test_the_seventh_label_is_dashed():
    assert 'class="outline-0 dashed"' in outlines(np.full((2, 2), 7, np.uint8), range(1, 8))
