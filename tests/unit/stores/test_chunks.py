"""What is cut, encoded and read is compared with NumPy's own slicing and with two other decoders of Blosc."""

import itertools
import os
import struct

import h5py
import hdf5plugin
import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.base.errors import StoreCorrupt
from isocenter.stores import chunks
from isocenter.stores.shard import ArrayFacts

TYPES = ("u1", "i1", "i2", "u2", "i4", "f4", "f8", "i8", "f2")
SHAPES = {
    (1000,): [(1000,), (333,)],
    (5, 6): [(5, 6)],
    (40, 70, 100): [(32, 32, 32), (16, 64, 32), (8, 16, 16), (40, 70, 100)],
    (2, 9, 20, 17): [(1, 4, 8, 8), (1, 9, 20, 17), (1, 5, 3, 7), (2, 3, 16, 8)],
}


def smooth(shape, dtype, seed=0):
    """Numbers that compress, with noise in the lower bits, and a corner of zeros."""
    rng = np.random.default_rng(seed)
    whole = np.add.reduce(np.meshgrid(*(np.arange(n) // 3 for n in shape), indexing="ij"))
    array = (whole * 7 + rng.integers(0, 4, shape)).astype(dtype)
    array[: max(1, shape[0] // 2)] = 0
    return array


def stored(array, chunk):
    held = dict(chunks.cut(array, chunk))
    return lambda positions: [held.get(p) for p in positions]


def read(array, chunk, index, **more):
    return chunks.read(stored(array, chunk), ArrayFacts(array.shape, array.dtype), chunk, index, **more)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("shape", "chunk"), [(s, c) for s, each in SHAPES.items() for c in each])
def test_any_part_is_the_part_that_numpy_gives(dtype, shape, chunk):
    array, rng = smooth(shape, dtype), np.random.default_rng(1)
    indices = [..., 0, -1, slice(0, 0), (slice(None, None, 3),)]
    for _ in range(8):
        bounds = [sorted(int(b) for b in rng.integers(0, n + 1, 2)) for n in shape]
        each = [(slice(a, b), slice(a, b, 2), -1)[rng.integers(3)] for a, b in bounds]
        indices.append(tuple(each[: rng.integers(1, len(shape) + 1)]))
    for index in indices:
        expected = array[index]
        part = read(array, chunk, index)
        assert (part.shape, part.dtype, part.flags.c_contiguous) == (expected.shape, array.dtype, True)
        assert part.tobytes() == expected.tobytes()
        out = np.full((*expected.shape, 2), 77, dtype)[..., 0]  # with gaps between its numbers
        assert read(array, chunk, index, out=out, threads=2) is out
        assert out.tobytes() == expected.tobytes()


@settings(deadline=None, max_examples=60)
@given(data=st.data(), dtype=st.sampled_from(["u1", "i2", "f4"]), seed=st.integers(0, 9))
def test_any_box_of_any_shape_in_any_chunks(data, dtype, seed):
    sizes = st.tuples(*[st.integers(1, 40)] * 3)
    shape, chunk = data.draw(sizes), data.draw(sizes)
    bounds = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in shape]
    array, box = smooth(shape, dtype, seed), tuple(slice(*b) for b in bounds)
    np.testing.assert_array_equal(read(array, chunk, box), array[box])


def test_nothing_beside_the_part_is_written():
    array = smooth((40, 70, 100), "i2")
    frame = np.full((20, 40, 60), 77, np.int16)
    read(array, (16, 32, 32), np.s_[15:31, 3:35, 20:60], out=frame[2:18, 4:36, 10:50])
    np.testing.assert_array_equal(frame[2:18, 4:36, 10:50], array[15:31, 3:35, 20:60])
    frame[2:18, 4:36, 10:50] = 77
    assert (frame == 77).all()


def test_only_what_is_touched_is_fetched():
    array, asked = smooth((64, 64, 64), "i2"), []
    fetch = stored(array, (16, 16, 16))

    def noting(positions):
        asked.extend(positions)
        return fetch(positions)

    chunks.read(noting, ArrayFacts(array.shape, array.dtype), (16, 16, 16), np.s_[17:33, 0:16, 5])
    assert asked == [(1, 0, 0), (2, 0, 0)]


def test_an_out_of_another_kind_or_a_bad_index_is_refused():
    array = smooth((40, 70, 100), "i2")
    for out in (np.zeros((1, 2, 3), np.int16), np.zeros((2, 2, 2), np.uint16)):
        with pytest.raises(ValueError, match="out must be"):
            read(array, (16, 32, 32), np.s_[:2, :2, :2], out=out)
    for index in ((0, 0, 0, 0), (..., ...), 40, np.s_[::-1]):
        with pytest.raises(IndexError):
            read(array, (16, 32, 32), index)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(32, 32, 32), (3, 50, 50), (4, 4, 8), (2, 3), (1,), (70, 64, 64)])
@pytest.mark.parametrize("kind", ["smooth", "noise"])
def test_blosc_decodes_what_we_encode(dtype, shape, kind):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, np.dtype(dtype).itemsize), np.uint8)
    block = smooth(shape, dtype) if kind == "smooth" else noise.view(dtype)[..., 0]
    payload = chunks.encode(block)
    assert imagecodecs.blosc_decode(payload) == block.tobytes()
    assert len(payload) <= block.nbytes + 32
    with h5py.File("x", "w", driver="core", backing_store=False) as file:
        data = file.create_dataset("x", shape, dtype, chunks=shape, **hdf5plugin.Blosc(cname="lz4"))
        data.id.write_direct_chunk((0,) * len(shape), payload)
        assert data[...].tobytes() == block.tobytes()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("level", [1, 5, 9])
@pytest.mark.parametrize("shape", [(32, 64, 64), (48, 48, 50), (5, 7, 9)])
def test_we_decode_what_blosc_encodes(dtype, level, shape):
    """Shards of layout 4 were written by it: larger chunks, of several blocks, split or not."""
    block = smooth(shape, dtype)
    for block_bytes in (None, 1 << 12, 1 << 16):
        payload = imagecodecs.blosc_encode(
            block.view(f"u{block.dtype.itemsize}"), level, compressor="lz4", shuffle="bitshuffle",
            typesize=block.dtype.itemsize, blocksize=block_bytes, numthreads=1,
        )  # fmt: skip
        facts = ArrayFacts(shape, block.dtype)
        whole = chunks.read(lambda _, payload=payload: [payload], facts, shape, ...)
        assert whole.tobytes() == block.tobytes()


@pytest.mark.parametrize("is_split", [True, False])
def test_planes_that_are_kept_as_they_are(is_split):
    """A payload put together by hand, and decoded by Blosc too: noise, in one stream or one for each byte."""
    block = np.random.default_rng(0).integers(0, 1 << 16, (32, 32, 32)).astype(np.uint16)
    bits = np.unpackbits(block.view(np.uint8).reshape(-1, 2), axis=1, bitorder="little")
    planes = np.packbits(bits.T, axis=1, bitorder="little").tobytes()
    streams = [planes[: 1 << 15], planes[1 << 15 :]] if is_split else [planes]
    body = b"".join(struct.pack("<I", len(s)) + s for s in streams)
    flags = 0x24 if is_split else 0x34
    payload = struct.pack("<4B4I", 2, 1, flags, 2, block.nbytes, block.nbytes, 20 + len(body), 20) + body
    assert imagecodecs.blosc_decode(payload) == block.tobytes()
    facts = ArrayFacts(block.shape, block.dtype)
    np.testing.assert_array_equal(
        chunks.read(lambda _: [payload], facts, block.shape, np.s_[3:9, 1:31]), block[3:9, 1:31]
    )


def test_the_environment_does_not_change_a_payload(monkeypatch):
    for block in (smooth((32, 32, 32), "i2"), smooth((5, 7, 9), "i2")):
        before = chunks.encode(block)
        for name in ("CLEVEL", "SHUFFLE", "TYPESIZE", "COMPRESSOR", "BLOCKSIZE", "NTHREADS", "SPLITMODE"):
            monkeypatch.setenv(f"BLOSC_{name}", {"COMPRESSOR": "zstd", "SPLITMODE": "NEVER"}.get(name, "1"))
        assert chunks.encode(block) == before
        for name in [n for n in os.environ if n.startswith("BLOSC_")]:
            monkeypatch.delenv(name)


def test_a_damaged_payload_is_refused_or_read_within_its_bounds():
    """Check sums come before; without them nothing may be read or written outside of what was given."""
    array = smooth((1, 32, 32, 32), "i2")
    ((position, payload),) = list(chunks.cut(array + 1, array.shape))
    facts, rng, refused = ArrayFacts(array.shape, array.dtype), np.random.default_rng(0), 0
    for number in range(3000):
        damaged = bytearray(payload)
        place = number if number < 32 else int(rng.integers(len(payload)))
        damaged[place] = (
            int(rng.integers(256)) if number % 2 else damaged[place] ^ (1 << int(rng.integers(8)))
        )
        cut = bytes(damaged[: int(rng.integers(len(payload) + 1))] if number % 5 == 0 else damaged)
        guarded = np.full((3, *array.shape), 77, np.int16)
        try:
            chunks.read(lambda _, cut=cut: [cut], facts, array.shape, ..., out=guarded[1])
        except StoreCorrupt:
            refused += 1
        assert (guarded[::2] == 77).all()
    assert position == (0, 0, 0, 0)
    assert refused > 700


@pytest.mark.parametrize(
    ("shape", "chunk", "wanted"),
    [
        ((1, 1, 2500, 2000), (32, 32, 32), (1, 1, 128, 256)),
        ((3, 1, 2500, 2000), (32, 32, 32), (1, 1, 128, 256)),
        ((512, 512, 1), (32, 32, 32), (128, 256, 1)),
        ((1, 40, 3000), (32, 32, 32), (1, 40, 512)),
        ((9, 512, 512), (32, 32, 32), (9, 32, 64)),
        ((1, 2500, 2000), (1, 64, 64), (1, 64, 64)),
        ((40, 512, 512), (32, 32, 32), (32, 32, 32)),
    ],
)
def test_what_an_axis_is_too_short_for_goes_to_the_others(shape, chunk, wanted):
    """A radiograph in the chunks of volumes had a thousandth as many voxels in each: 1 x 32 x 32."""
    assert chunks.grid(shape, "i2", chunk) == wanted


@given(shape=st.tuples(*[st.integers(1, 600)] * 3), chunk=st.tuples(*[st.integers(1, 70)] * 3))
def test_a_chunk_is_within_the_array_and_as_large_as_was_wanted(shape, chunk):
    made, most = chunks.grid(shape, "i2", chunk), int(np.prod(chunk))
    assert all(min(n, c) <= m <= n for n, c, m in zip(shape, chunk, made, strict=True))
    assert np.prod(made) <= most
    assert made == shape or 2 * np.prod(made) > most


def test_chunks_are_no_larger_than_the_array():
    assert chunks.grid((2, 20, 512, 512), "i2", (32, 32, 32)) == (1, 20, 32, 32)
    assert chunks.grid((4, 40, 36), "i2", (32, 32, 32)) == (4, 40, 36)
    assert chunks.grid((7, 6), "f8", (32, 32, 32)) == (7, 6)
    assert chunks.grid((1 << 20,), "u1", (32, 32, 32)) == (1 << 16,)
    for shape, dtype in {(): "i2", (1, 1, 1, 1, 1): "i2", (0, 3): "i2", (2, 2): "U3", (3,): "?"}.items():
        with pytest.raises(ValueError, match="holds numbers"):
            chunks.grid(shape, dtype, (32, 32, 32))


@pytest.mark.parametrize(
    "patch", [(128, 128, 128), (1, 512, 512), (16, 256, 256), (64, 64, 64), (96, 160, 160)]
)
def test_the_chosen_chunk_is_the_one_that_touches_fewest_voxels(patch):
    """Counted over all places of a patch, and compared with every other chunk of as many voxels."""

    def touched(chunk):
        each = []
        for p, c in zip(patch, chunk, strict=True):
            each.append(np.mean([((s + p - 1) // c - s // c + 1) * c for s in range(c)]))
        return np.prod(each)

    powers = [1 << n for n in range(16)]
    others = [c for c in itertools.product(powers, repeat=3) if np.prod(c) == chunks.CHUNK_VOXELS]
    assert touched(chunks.chunk_for(patch)) <= min(map(touched, others)) * (1 + 1e-9)


def test_a_float_zero_keeps_its_sign():
    array = np.full((4, 8, 8), -0.0, np.float32)
    assert len(list(chunks.cut(array, (2, 8, 8)))) == 2
    assert read(array, (2, 8, 8), ...).tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
@pytest.mark.parametrize("chunk", [(16, 32, 32), (8, 16, 16), (5, 7, 9)])
def test_every_chunk_is_told_with_the_sums_of_its_voxels_and_of_its_payload(dtype, chunk):
    array = smooth((40, 70, 100), dtype)
    counts = [-(-n // c) for n, c in zip(array.shape, chunk, strict=True)]
    padded = np.pad(array, [(0, k * c - n) for k, c, n in zip(counts, chunk, array.shape, strict=True)])
    found = list(chunks.encoded(array, chunk))
    assert [one.position for one in found] == list(itertools.product(*map(range, counts)))
    for one in found:
        block = padded[tuple(slice(p * c, (p + 1) * c) for p, c in zip(one.position, chunk, strict=True))]
        assert one.content == imagecodecs.h5checksum_fletcher32(block.tobytes())
        assert bool(one.payload) == (block.any() or dtype == "f4")
        if one.payload:
            check = imagecodecs.h5checksum_fletcher32(one.payload[:-4])
            assert one.payload[-4:] == check.to_bytes(4, "little")
            assert imagecodecs.blosc_decode(one.payload[:-4]) == block.tobytes()


def test_the_room_for_payloads_does_not_change_them(monkeypatch):
    array = smooth((40, 70, 100), "i2")
    before = list(chunks.cut(array, (16, 32, 32)))
    monkeypatch.setattr(chunks, "_ROOM", 1)
    assert list(chunks.cut(array, (16, 32, 32))) == before
