"""`isocenter bench` as a command: factors, a document, and a wrong patch."""

import json

from tests.contracts.packed import build, make_case


def test_the_command_prints_factors_and_a_document(say, tmp_path):
    store = build(tmp_path / "store", [make_case(n) for n in range(2)])
    said = say("bench", str(store), "--patch", "8,16,16", "--seconds", "1", "--json")
    assert said.code == 0
    told = json.loads(said.out)
    assert {f["baseline"] for f in told["factors"]} == {"nifti", "nifti-gz"}
    assert all(f["is_faster"] == (f["faster"] >= 3) for f in told["factors"])
    said = say("bench", str(store), "--patch", "8x16", "--seconds", "1")
    assert said.code == 2
    assert "--patch" in said.err
