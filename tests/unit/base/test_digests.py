import enum
from dataclasses import dataclass
from pathlib import Path

from isocenter.base.digests import canonical_json, digest_of, digest_of_bytes, digest_of_file
from isocenter.base.pseudonyms import Pseudonyms


class Kind(enum.StrEnum):
    ONE = "one"


@dataclass
class Thing:
    name: str
    kind: Kind = Kind.ONE


def test_digests_are_those_of_every_release(tmp_path):
    assert digest_of({"b": (1, 2.5, None), "a": [True, "ä"]}) == "c123b1c05853c2ee7a4af754b653bde3"
    assert digest_of_bytes(b"abc") == "cf4ab791c62b8d2b2109c90275287816"
    (tmp_path / "f").write_bytes(b"abc")
    assert digest_of_file(tmp_path / "f") == digest_of_bytes(b"abc")
    assert Pseudonyms(b"0123456789abcdef").of("sub", "issuer", "P-17", "site") == "sub-dda94ab0ebcfd49d"


def test_the_order_of_keys_and_the_kind_of_sequence_are_of_no_account():
    assert digest_of({"a": 1, "b": (2, 3)}) == digest_of({"b": [2, 3], "a": 1})
    assert digest_of({3, 1, 2}) == digest_of([1, 2, 3])
    assert canonical_json(Thing("x")) == '{"kind":"one","name":"x"}'
    assert canonical_json(Path("a") / "b") == '"a/b"'


def test_other_values_are_other_digests():
    values = [0, "0", None, False, "", [], {}, [0], [[0]], 0.5, "0.5"]
    assert len({digest_of(v) for v in values}) == len(values)


def test_names_that_are_no_utf8_have_digests_and_pseudonyms():
    names = Pseudonyms(b"0123456789abcdef")
    assert len({digest_of(t) for t in ("\udce4", "\udce5", "\ud800", "ä")}) == 4
    assert len({names.of("fil", t) for t in ("\udce4", "\udce5", "\ud800", "ä")}) == 4


def test_parts_of_a_pseudonym_do_not_run_together():
    names = Pseudonyms(b"0123456789abcdef")
    assert names.of("sub", "a", "bc") != names.of("sub", "ab", "c")
    assert names.of("sub", None) == names.of("sub", "")
    assert names.of("sub", "a") != names.of("std", "a")
