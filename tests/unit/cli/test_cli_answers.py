"""Answers are printed row by row: aligned for people, one list of objects for programs."""

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest

from isocenter.base.questions import Answer
from isocenter.cli.answers import lines_of, plain_of, print_answer


def answer(columns, types, rows):
    return Answer(tuple(columns), tuple(types), iter(rows))


def test_numbers_are_on_the_right_and_wide_signs_are_counted_as_such():
    rows = [("北京医院", 7, 0.5, ["a"]), ("x", 12345, None, [])]
    assert list(lines_of(answer("abcd", ["VARCHAR", "BIGINT", "DOUBLE", "VARCHAR[]"], rows))) == [
        "a             b     c  d",
        "--------  -----  ----  -----",
        '北京医院      7   0.5  ["a"]',
        "x         12345  NULL  []",
    ]


def test_a_cell_stays_on_its_line_and_cannot_steer():
    rows = [("a\nb\tc", "\x1b[2J\u202e")]
    assert list(lines_of(answer("ab", ["VARCHAR"] * 2, rows)))[2] == "a\\nb\\tc  \ufffd[2J\ufffd"


def test_rows_beyond_the_first_are_not_held(capsys):
    taken = []

    def rows():
        for n in range(5000):
            taken.append(n)
            yield (n,)

    lines = lines_of(answer("n", ["INTEGER"], rows()))
    next(lines)
    assert len(taken) == 1000
    assert len(list(lines)) == 5001
    print_answer(answer("n", ["INTEGER"], [(1,)]), as_json=False)
    assert capsys.readouterr() == ("n\n-\n1\n", "1 row\n")


@pytest.mark.parametrize("rows", [[], [(1, "a")], [(1, "a"), (2, "\x1b\u202e")]])
def test_json_is_one_list(capsys, rows):
    print_answer(answer(["n", "t"], ["INTEGER", "VARCHAR"], rows), as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out) == [{"n": n, "t": t} for n, t in rows]
    assert out.isascii()
    assert "\x1b" not in out
    assert err == ""


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (Decimal("1.5"), 1.5),
        (10**30, 10**30),
        (dt.date(2020, 1, 2), "2020-01-02"),
        (dt.datetime(2020, 1, 2, 3, 4), "2020-01-02T03:04:00"),  # noqa: DTZ001
        (dt.timedelta(days=2), "2 days, 0:00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "00ff"),
        ({"a": [float("nan")], 2: (1,)}, {"a": [None], "2": [1]}),
        (None, None),
        (True, True),
    ],
)
def test_every_type_has_its_plain_value(value, plain):
    assert plain_of(value) == plain
    json.dumps(plain_of(value), allow_nan=False)
