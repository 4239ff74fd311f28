"""Units: groups that move as one."""

from isocenter.model.split import SplitRow
from isocenter.stages.split.units import Unit, asked_for, by_lot, sizes, subjects_in, units_of

ROWS = [
    SplitRow(subject="b", group="a", site="x"),
    SplitRow(subject="a", group="a", site="y"),
    SplitRow(subject="c", group="c", partition="test"),
]


def test_a_group_is_a_unit():
    first, second = units_of(ROWS)
    assert (first.name, first.size, first.sites, first.partition) == ("a", 2, {"x", "y"}, "")
    assert [r.subject for r in first.rows] == ["a", "b"]
    assert second.partition == "test"


def test_the_kept_subjects_are_counted():
    assert sizes(units_of(ROWS)) == {"test": 1}


def test_subjects_go_where_their_unit_goes_or_is():
    assert subjects_in(units_of(ROWS), {"a": "train"}) == {"a": "train", "b": "train", "c": "test"}


def test_partitions_come_in_their_order_and_empty_ones_are_not_asked_for():
    assert list(asked_for({"test": 0.2, "val": 0.0, "train": 0.8})) == ["train", "test"]


def test_the_lot_depends_on_the_seed_and_the_name_alone():
    units = [Unit(name=str(n), rows=()) for n in range(20)]
    drawn = [u.name for u in by_lot(units, 1)]
    assert drawn == [u.name for u in by_lot(reversed(units), 1)]
    assert drawn != [u.name for u in by_lot(units, 2)]
    without = [u for u in units if u.name != "7"]
    assert [u.name for u in by_lot(without, 1)] == [name for name in drawn if name != "7"]
