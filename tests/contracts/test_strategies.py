"""Every split strategy keeps the contract of `isocenter.stages.split.strategy`."""

from collections import defaultdict
from dataclasses import replace

import pytest

from isocenter.base.errors import ConfigError
from isocenter.model.split import SplitRow
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.rows import gather
from isocenter.stages.split.strategy import STRATEGIES

OPTIONS = SplitOptions()
ROWS = gather(
    (
        SplitRow(
            subject=f"subject-{n:03}",
            site=f"centre-{n % 5 if n % 3 else 0}",
            group=f"family-{n // 4}" if n % 7 == 0 else "",
            labels=("tumour",) if n % 3 == 0 else ("node", "rare")[: n % 2 + (n % 50 == 1)],
            strata=(f"sex={'MF'[n % 2]}",),
            first=f"20{n % 20:02}-01-01",
            last=f"20{n % 20:02}-{1 + n % 12:02}-01",
        ),
        (),
    )
    for n in range(120)
)
FOLDED = ("k-fold", "nested-k-fold")


def kept(name):
    """Whole groups are kept, as the stage does it."""
    parts = ("fold-1", "test") if name in FOLDED else ("train", "test")
    return [replace(r, partition=parts[int(r.group[-1]) % 2]) if int(r.group[-2]) < 4 else r for r in ROWS]


GIVEN = [replace(r, partition=("train", "val", "test")[int(r.group[-1]) % 3]) for r in ROWS]
ALL = STRATEGIES.names()
DIVIDING = [name for name in ALL if name != "given"]


def parts(name, options=OPTIONS):
    """The parts that a strategy makes and their shares."""
    fractions = {p: f for p, f in options.fractions.items() if f}
    if name not in FOLDED:
        return fractions
    test = {"test": fractions["test"]} if "test" in fractions else {}
    return test | {f"fold-{n}": (1 - sum(test.values())) / options.folds for n in range(options.folds)}


def assigned(name, rows, seed=0, options=OPTIONS):
    return STRATEGIES.get(name).assign(rows, options=options, seed=seed)


@pytest.mark.parametrize("name", ALL)
def test_what_is_kept_stays(name):
    assert assigned(name, GIVEN).partitions == {r.subject: r.partition for r in GIVEN}


@pytest.mark.parametrize("name", DIVIDING)
class TestStrategiesThatDivide:
    @pytest.mark.parametrize("is_kept", [False, True], ids=["free", "partly kept"])
    def test_every_subject_gets_a_partition_and_groups_stay_together(self, name, is_kept):
        rows = kept(name) if is_kept else ROWS
        done = assigned(name, rows).partitions
        assert set(done) == {r.subject for r in rows}
        is_by_time = is_kept and name == "temporal"  # what is kept here was not put there by time
        assert is_by_time or set(done.values()) == set(parts(name))
        groups = defaultdict(set)
        for row in rows:
            groups[row.group].add(done[row.subject])
            assert row.partition in {"", done[row.subject]}
        assert all(len(found) == 1 for found in groups.values())

    def test_the_result_depends_on_the_seed_and_not_on_the_order(self, name):
        assert assigned(name, ROWS) == assigned(name, ROWS[::-1])
        if name != "temporal":  # where time decides, no lot is drawn
            assert assigned(name, ROWS) != assigned(name, ROWS, seed=1)

    def test_parts_without_a_fraction_stay_empty(self, name):
        options = SplitOptions(fractions={"train": 0.8, "val": 0.0, "test": 0.2})
        assert set(assigned(name, ROWS, options=options).partitions.values()) == set(parts(name, options))
        options = SplitOptions(fractions={"train": 0.5, "val": 0.5})
        assert set(assigned(name, ROWS, options=options).partitions.values()) == set(parts(name, options))

    def test_sizes_come_within_one_group_or_it_is_said_why_not(self, name):
        done = assigned(name, ROWS)
        largest = max(sum(r.group == g for r in ROWS) for g in {r.group for r in ROWS})
        found = list(done.partitions.values())
        off = [abs(found.count(p) - f * len(ROWS)) for p, f in parts(name).items()]
        assert max(off) <= largest or done.obstacles

    def test_nobody_is_put_nowhere(self, name):
        assert assigned(name, []).partitions == {}


def test_given_cannot_divide():
    with pytest.raises(ConfigError):
        assigned("given", kept("given"))
