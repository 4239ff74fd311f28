"""Packing then loading is the identity, and a shard's bytes do not tell how its records got there."""

import tempfile
from pathlib import Path

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.stores.shard import BACKENDS, Record, digest_of_array

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 20), st.integers(1, 20))
TYPES = st.sampled_from([np.int16, np.uint8, np.uint16, np.float32])


@st.composite
def records(draw):
    out = []
    for n in range(draw(st.integers(1, 5))):
        dtype, shape = draw(TYPES), draw(SHAPES)
        image = draw(npst.arrays(dtype, (draw(st.integers(1, 2)), *shape)))
        mask = np.zeros(shape, np.uint8)
        mask[: draw(st.integers(0, 7)), : draw(st.integers(0, 20))] = 1
        arrays = {"image": image, "mask": mask}
        if draw(st.booleans()):
            arrays["boxes"] = draw(npst.arrays(np.float64, (draw(st.integers(1, 4)), 6)))
        text = draw(st.text(max_size=200).filter(lambda t: t.isprintable()))
        meta = {"text": text, "digests": {k: digest_of_array(a) for k, a in arrays.items()}}
        out.append(Record(f"case-{n}", arrays, meta))
    return out


CHUNKS = st.tuples(st.integers(1, 8), st.integers(1, 16), st.integers(1, 16))


@pytest.mark.parametrize("name", BACKENDS.names())
@settings(max_examples=40, deadline=None)
@given(data=st.data(), made=records(), chunk=CHUNKS)
def test_put_and_keep_are_the_same_to_the_byte(name, data, made, chunk):
    backend = BACKENDS.get(name)
    wanted = data.draw(st.lists(st.sampled_from(made), min_size=1, unique_by=lambda r: r.id))
    wanted.sort(key=lambda r: r.id)
    kept = data.draw(st.sets(st.sampled_from([r.id for r in wanted])))
    with tempfile.TemporaryDirectory() as folder:
        old, fresh, mixed = (Path(folder, n) for n in ("old", "fresh", "mixed"))
        with backend.create(old, chunk=chunk) as writer:
            for record in made:
                writer.put(record)
        with backend.create(fresh, chunk=chunk) as writer:
            for record in wanted:
                writer.put(record)
        with backend.create(mixed, chunk=chunk) as writer:
            for record in wanted:
                if record.id in kept:
                    writer.keep(old, record.id)
                else:
                    writer.put(record)
        assert mixed.read_bytes() == fresh.read_bytes()
        reader = backend.open(mixed, cache_bytes=0)
        for record in wanted:
            assert reader.meta(record.id) == record.meta
            for key, array in record.arrays.items():
                assert reader.read(record.id, key, ...).tobytes() == array.tobytes()
        reader.close()


@pytest.mark.parametrize("name", BACKENDS.names())
@settings(max_examples=30, deadline=None)
@given(data=st.data(), shape=SHAPES, chunk=CHUNKS)
def test_any_part_is_the_part_that_numpy_gives(name, data, shape, chunk):
    array = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    index = data.draw(npst.basic_indices(shape, allow_newaxis=False, min_dims=0))
    steps = [s.step for s in (index if isinstance(index, tuple) else (index,)) if isinstance(s, slice)]
    if any(s is not None and s < 0 for s in steps):
        return
    with tempfile.TemporaryDirectory() as folder:
        record = Record("c", {"image": array}, {"digests": {"image": digest_of_array(array)}})
        with BACKENDS.get(name).create(Path(folder, "a"), chunk=chunk) as writer:
            writer.put(record)
        reader = BACKENDS.get(name).open(Path(folder, "a"), cache_bytes=1 << 16)
        np.testing.assert_array_equal(reader.read("c", "image", index), array[index])
        reader.close()
