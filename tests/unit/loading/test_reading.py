import numpy as np
import pytest

from isocenter.loading.reading import Box, read, read_channels, read_valid

DATA = np.arange(2 * 4 * 5 * 6).reshape(2, 4, 5, 6)
SHAPE = (4, 5, 6)


@pytest.mark.parametrize(
    ("start", "size"), [((0, 0, 0), (4, 5, 6)), ((1, 2, 3), (2, 2, 2)), ((-2, -1, 4), (7, 4, 5)), ((9, 9, 9), (2, 2, 2)), ((-5, 0, 0), (3, 3, 3))]
)  # fmt: skip
def test_a_box_is_cut_out_of_the_padded_volume(start, size):
    box = Box(start=start, size=size)
    padded = np.pad(DATA, ((0, 0), *[(20, 20)] * 3), constant_values=-7)
    where = tuple(slice(s + 20, s + 20 + n) for s, n in zip(start, size, strict=True))
    np.testing.assert_array_equal(read(DATA, (slice(None),), -7, box, SHAPE), padded[(slice(None), *where)])
    inside = np.pad(np.ones(SHAPE, bool), 20)[where]
    np.testing.assert_array_equal(read_valid({}, box, SHAPE), inside)
    np.testing.assert_array_equal(
        read_valid({"valid": DATA[0] % 2 == 0}, box, SHAPE), inside & (padded[0][where] % 2 == 0)
    )


def test_a_missing_channel_is_background():
    box = Box(start=(0, 0, 0), size=(2, 2, 2))
    missing, second = read_channels(DATA, [-1, 1], [5.0, 0.0], box, SHAPE)
    assert (missing == 5).all()
    np.testing.assert_array_equal(second, DATA[1, :2, :2, :2])


def test_a_box_grows_on_both_sides_and_knows_its_padding():
    box = Box(start=(-1, 2, 0), size=(6, 3, 2)).grown((1, 0, 2))
    assert (box.start, box.size) == ((-2, 2, -2), (8, 3, 6))
    assert box.padding(SHAPE).tolist() == [[2, 2], [0, 0], [2, 0]]
