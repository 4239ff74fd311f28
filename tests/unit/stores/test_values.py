import json
import zlib

import numpy as np
import pytest

from isocenter.base.errors import StoreCorrupt
from isocenter.stores.shard import ArrayFacts
from isocenter.stores.values import (
    StoredArray,
    chunk_key,
    chunks_key,
    head_key,
    head_of,
    payload_of,
    read_head,
    sealed_value,
)

ARRAY = StoredArray(ArrayFacts((3, 5), np.dtype("i2")), (2, 2), np.array([1, 0, 1, 0, 0, 1], np.bool_))


def test_keys_of_a_record_lie_together_in_the_order_of_ids_and_names():
    """Ids that begin alike too: "a-b" comes after "a", though "-" comes before most of what may follow."""
    keys = [
        key
        for case in sorted(["a", "a-b", "a.b", "a0", "b"])
        for key in (
            *(
                chunk_key(case, name, n)
                for name in sorted(["image", "image-2", "mask"])
                for n in (0, 255, 256)
            ),
            head_key(case),
        )
    ]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert chunk_key("a", "image", 258) == b"a\0image\0\x00\x00\x01\x02"
    assert not chunk_key("a", "image-2", 0).startswith(chunks_key("a", "image"))


def test_a_value_knows_its_key_and_every_bit_of_it():
    value = sealed_value(b"key", b"payload")
    assert value == zlib.crc32(b"keypayload").to_bytes(4, "little") + b"payload"
    assert bytes(payload_of(b"key", memoryview(value))) == b"payload"
    with pytest.raises(StoreCorrupt, match="check sum"):
        payload_of(b"kez", memoryview(value))
    for at in range(8 * len(value)):
        flipped = bytearray(value)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(StoreCorrupt):
            payload_of(b"key", memoryview(flipped))
    with pytest.raises(StoreCorrupt):
        payload_of(b"key", memoryview(b""))


def test_what_is_said_of_a_record_comes_back():
    arrays, meta = read_head(memoryview(head_of({"image": ARRAY}, {"name": "é", "n": [1]})))
    assert meta == {"name": "é", "n": [1]}
    assert (arrays["image"].facts, arrays["image"].chunk) == (ARRAY.facts, ARRAY.chunk)
    assert arrays["image"].filled.tolist() == ARRAY.filled.tolist()
    assert ARRAY.counts == (2, 3)
    assert [ARRAY.number(p) for p in np.ndindex(2, 3)] == list(range(6))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "|O"},
        {"type": "U4"},
        {"shape": [1 << 40, 5]},
        {"shape": [3]},
        {"shape": [0, 5]},
        {"shape": [], "chunk": []},
        {"chunk": [1 << 20, 1 << 20]},
        {"chunk": [-1, 2]},
        {"filled": "ffff"},
        {"filled": ""},
    ],
)
def test_what_no_shard_of_ours_says_is_refused(change):
    document = json.loads(head_of({"image": ARRAY}, {}))
    document["arrays"]["image"] |= change
    with pytest.raises(StoreCorrupt):
        read_head(memoryview(json.dumps(document).encode()))


def test_a_name_that_leads_elsewhere_is_refused():
    document = json.loads(head_of({"image": ARRAY}, {}))
    document["arrays"]["../x"] = document["arrays"].pop("image")
    with pytest.raises(ValueError, match="cannot name"):
        read_head(memoryview(json.dumps(document).encode()))
