import imagecodecs
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from isocenter.stores.lz4 import SPARE, decompress

PIECES = st.lists(st.tuples(st.binary(min_size=1, max_size=70), st.integers(1, 400)), min_size=1, max_size=12)


def decoded(block, size):
    source = np.frombuffer(block, np.uint8)
    frame = np.full(size + SPARE + 256, 77, np.uint8)
    is_right = decompress(source.ctypes.data, source.size, frame.ctypes.data, size)
    assert (frame[size + SPARE :] == 77).all()
    return frame[:size].tobytes() if is_right else None


@settings(deadline=None, max_examples=300)
@given(PIECES, st.booleans())
@example([(b"a", 400)], False)
@example([(bytes(range(n)), 90) for n in range(1, 40)], False)
def test_it_undoes_what_the_library_does(pieces, is_high):
    data = b"".join(piece * count for piece, count in pieces)
    block = imagecodecs.lz4_encode(data, hc=is_high, header=False)
    assert decoded(block, len(data)) == data


@settings(deadline=None, max_examples=300)
@given(PIECES, st.data())
def test_another_size_or_a_cut_block_is_refused(pieces, data):
    whole = b"".join(piece * count for piece, count in pieces)
    block = imagecodecs.lz4_encode(whole, header=False)
    assert decoded(block, len(whole) + 1) is None
    assert decoded(block, len(whole) - 1) is None
    assert decoded(block[: data.draw(st.integers(0, len(block) - 1))], len(whole)) is None


@settings(deadline=None, max_examples=500)
@given(st.binary(max_size=200), st.integers(0, 300))
def test_no_bytes_make_it_write_elsewhere(block, size):
    decoded(block, size)
