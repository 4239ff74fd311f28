import imagecodecs
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from isocenter.stores.lz4 import SPARE, TABLE, compress, decompress

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


def encoded(data, most):
    source, table = np.frombuffer(data, np.uint8), np.full(TABLE, 12345, np.int32)
    frame = np.full(most + 64, 77, np.uint8)
    used = compress(source.ctypes.data, source.size, frame.ctypes.data, most, table)
    assert 0 <= used <= most
    assert (frame[most:] == 77).all()
    return frame[:used].tobytes()


@settings(deadline=None, max_examples=300)
@given(PIECES, st.data())
@example([(b"a", 400)], None)
@example([(bytes(range(n)), 90) for n in range(1, 40)], None)
def test_the_library_undoes_what_it_does(pieces, data):
    whole = b"".join(piece * count for piece, count in pieces)
    block = encoded(whole, len(whole) + len(whole) // 255 + 16)
    assert imagecodecs.lz4_decode(block, out=len(whole)) == whole
    assert decoded(block, len(whole)) == whole
    if data is not None:
        most = data.draw(st.integers(0, len(block)))
        assert encoded(whole, most) in (b"", block)


def test_what_lies_too_far_back_is_not_referred_to():
    noise = np.random.default_rng(0).integers(0, 256, 70_000, np.uint8).tobytes()
    whole = noise + noise + noise[-60_000:]
    block = encoded(whole, 2 * len(whole))
    assert imagecodecs.lz4_decode(block, out=len(whole)) == whole
    assert len(block) < 141_500  # the last part is near enough
    assert encoded(noise, len(noise)) == b""


def test_short_repetitions_are_left_alone():
    """They would be most of the jumps of the decoder, and save next to nothing."""
    rng = np.random.default_rng(0)
    short = b"".join(rng.integers(0, 256, 40, np.uint8).tobytes() + b"twelve bytes" for _ in range(50))
    assert len(encoded(short, 2 * len(short))) > len(short)
    assert len(encoded(short.replace(b"twelve", b"more than twelve"), len(short))) < len(short)
