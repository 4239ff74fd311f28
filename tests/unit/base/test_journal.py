import json

import pytest

from isocenter.base.errors import ConfigError
from isocenter.base.journal import Journal
from isocenter.base.pseudonyms import Pseudonyms

RECORDS = [{"case": "a", "why": "L\u00e4sion"}, {"case": "b", "seen": ["x", "y"]}, {"case": "a", "why": ""}]


@pytest.fixture
def journal(tmp_path):
    out = Journal(tmp_path / "said.jsonl", Pseudonyms(b"k" * 32))
    assert out.records() == []
    for record in RECORDS:
        out.add(record)
    return out


def test_what_was_added_is_read_in_order(journal, tmp_path):
    assert journal.records() == RECORDS
    lines = (tmp_path / "said.jsonl").read_text(encoding="ascii").splitlines()
    assert [json.loads(line)["case"] for line in lines] == ["a", "b", "a"]


def test_an_end_without_a_line_end_loses_nothing(journal, tmp_path):
    path = tmp_path / "said.jsonl"
    path.write_text(path.read_text().rstrip("\n"))
    assert journal.records() == RECORDS
    journal.add({"case": "c"})
    assert journal.records() == [*RECORDS, {"case": "c"}]
    path.write_text(path.read_text().rstrip("\n")[:-4])
    with pytest.raises(ConfigError, match="line 4 is no record"):
        journal.records()


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (lambda lines: [lines[0].replace("sion", "sure"), *lines[1:]], 1),
        (lambda lines: [lines[1], lines[0], lines[2]], 1),
        (lambda lines: [lines[0], lines[2]], 2),
        (lambda lines: [*lines, lines[0]], 4),
        (lambda lines: [lines[0], "{}", lines[2]], 2),
        (lambda lines: [lines[0], "[1]", lines[2]], 2),
        (lambda lines: [lines[0], '{"signature": "x"', lines[2]], 2),
    ],
)
def test_what_was_changed_by_hand_is_told(journal, tmp_path, change, number):
    path = tmp_path / "said.jsonl"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(ConfigError, match=rf"said.jsonl, line {number} is"):
        journal.records()
    before = path.read_bytes()
    with pytest.raises(ConfigError):
        journal.add({"case": "c"})
    assert path.read_bytes() == before


def test_another_key_is_told(journal, tmp_path):
    assert journal.records()
    with pytest.raises(ConfigError, match="another key"):
        Journal(tmp_path / "said.jsonl", Pseudonyms(b"q" * 32)).records()
