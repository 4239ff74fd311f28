"""SipHash-2-4 against the vectors of its authors (appendix A of the paper, and the first ones of their code)."""

import numpy as np
import pytest

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.base.siphash import name_texts

KEY = bytes(range(16))


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0, "310e0edd47db6f72"), (1, "fd67dc93c539f874"), (15, "e545be4961ca29a1")],
)
def test_the_published_vectors(length, expected):
    text = np.arange(length, dtype=np.uint8)
    found = name_texts(KEY, b"x-", b"", text, np.array([0, length], np.int64))
    assert found.tobytes().decode() == f"x-{expected}"


@pytest.mark.parametrize("split", range(16))
def test_a_prefix_counts_like_the_text_itself(split):
    text = np.arange(split, 15, dtype=np.uint8)
    found = name_texts(KEY, b"", bytes(range(split)), text, np.array([0, 15 - split], np.int64))
    assert found.tobytes() == b"e545be4961ca29a1"


def test_many_names_are_those_of_each_alone():
    names = Pseudonyms(b"k" * 16)
    paths = [b"a/1.dcm", b"", b"a", b"l\xe4sion/" + b"x" * 300]
    lengths = [len(p) for p in paths]
    data = np.frombuffer(b"".join(paths), np.uint8)
    many = names.of_files("north 1", data, np.concatenate([[0], np.cumsum(lengths)]))
    assert [r.tobytes().decode() for r in many] == [names.of_file("north 1", p) for p in paths]
    assert len({r.tobytes() for r in many}) == len(paths)


def test_names_depend_on_key_and_origin():
    keys = [Pseudonyms(k * 16) for k in (b"a", b"b")]
    assert len({k.of_file(o, b"a/b") for k in keys for o in ("north 1", "north 2")}) == 4
