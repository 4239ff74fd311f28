import numpy as np
import pytest

from isocenter.formats.kinds import kind_of


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n", "pdf"),
        (b"PK\x03\x04rest", "zip"),
        (b"a,b\n1,2\n3,4\n", "table"),
        (b"\xef\xbb\xbfa;b\n1;2\n3;4\n", "table"),
        (b"Dear colleague,\nthanks\n", "text"),
        (b'  {"a": 1}', "json"),
        (b"<html>", "markup"),
        (b"# Markups fiducial file version = 4.11\n", "slicer-markups"),
        (bytes(257) + b"ustar", "tar"),
        (b"\x00\x01\x02", "unknown"),
        (b"", "text"),
    ],
)
def test_kinds(head, kind):
    assert kind_of(head) == kind


def test_it_never_raises():
    rng = np.random.default_rng(0)
    assert all(isinstance(kind_of(rng.bytes(n)), str) for n in range(0, 4096, 7))
