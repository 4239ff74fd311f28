"""Cuts in time."""

from dataclasses import replace

import pytest

from isocenter.base.errors import ConfigError
from isocenter.model.split import SplitRow
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.stage import split
from isocenter.stages.split.times import in_order

OPTIONS = SplitOptions(strategy="temporal")


def people(number, start=0, long=()):
    return [
        SplitRow(subject=f"s{n:03}", first=str(n if n not in long else max(0, n - 40)), last=str(n))
        for n in range(start, start + number)
    ]


def days(done, part):
    return sorted(int(r.last) for r in done.of(part))


def test_the_earliest_train_and_the_latest_test():
    done = split(people(100), OPTIONS, seed=0)
    assert [days(done, p) for p in ("train", "val", "test")] == [
        list(range(70)),
        list(range(70, 80)),
        list(range(80, 100)),
    ]
    assert done.certificate.obstacles == ()
    assert split(people(100), OPTIONS, seed=9).rows == done.rows


def test_equal_times_are_never_divided():
    rows = [replace(r, first=str(n // 15), last=str(n // 15)) for n, r in enumerate(people(100))]
    done = split(rows, OPTIONS, seed=0)
    parts = [{r.last for r in done.of(p)} for p in ("train", "val", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts))


def test_a_cut_moves_to_where_it_divides_nobody():
    rows = people(100, long={72})
    rows = [replace(r, first="68") if r.subject == "s072" else r for r in rows]
    done = split(rows, OPTIONS, seed=0)
    assert max(days(done, "train")) == 67
    assert done.certificate.obstacles == ()


def test_who_cannot_be_kept_off_a_cut_is_told():
    done = split(people(100, long=range(40, 100, 7)), OPTIONS, seed=0)
    assert len(done.certificate.obstacles) == 2
    assert "have cases before and after the cut" in done.certificate.obstacles[0]


def test_families_go_by_their_latest():
    rows = [replace(r, group="family") if r.subject in {"s001", "s095"} else r for r in people(100)]
    done = split(rows, OPTIONS, seed=0)
    assert {"s001", "s095"} <= {r.subject for r in done.of("test")}


def test_later_subjects_go_to_the_test_and_earlier_ones_where_they_belong():
    before = split(people(100), OPTIONS, seed=0)
    late = [SplitRow(subject="late", first="150", last="150"), SplitRow(subject="early", first="3", last="3")]
    after = split([*people(100), *late], OPTIONS, seed=0, previous=before)
    where = {r.subject: r.partition for r in after.rows}
    assert (where["late"], where["early"]) == ("test", "train")
    assert {r.subject: r.partition for r in before.rows}.items() <= where.items()


def test_times_must_be_known_and_of_one_kind():
    with pytest.raises(ConfigError, match="of 1 of 3 subjects"):
        split([*people(2), SplitRow(subject="x")], OPTIONS, seed=0)
    with pytest.raises(ConfigError, match="all be dates"):
        in_order(["2020-01-01", "soon"])
    with pytest.raises(ConfigError, match="all be dates"):
        in_order(["1", "nan"])


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["2020-12-01", "2020-02-30", "5"], None),
        (["10", "9.5", "9"], ["9", "9.5", "10"]),
        (["20201201", "2020-11-30"], ["2020-11-30", "20201201"]),
    ],
)
def test_dates_and_numbers_are_put_in_order(texts, order):
    if order is None:
        with pytest.raises(ConfigError):
            in_order(texts)
    else:
        found = in_order(texts)
        assert sorted(found, key=found.get) == order
