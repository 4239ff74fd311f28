"""Balance: what a search from several starts finds, and the guards on sizes."""

import random
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from isocenter.model.split import SplitRow
from isocenter.stages.split import balance as module
from isocenter.stages.split import search
from isocenter.stages.split.balance import balance
from isocenter.stages.split.bound import least_terms
from isocenter.stages.split.cells import problem_of
from isocenter.stages.split.exact import improve
from isocenter.stages.split.rows import gather
from isocenter.stages.split.units import by_lot, units_of

FRACTIONS = {"train": 0.7, "val": 0.1, "test": 0.2}


def cohort(*counts, group_of=lambda _n: ""):
    """`(number of subjects, their labels)` in turn."""
    rows = [labels for number, labels in counts for _ in range(number)]
    return [
        SplitRow(subject=f"subject-{n:04}", labels=labels, group=group_of(n)) for n, labels in enumerate(rows)
    ]


def balanced(rows, fractions=FRACTIONS, seed=0, **more):
    units = units_of(gather((r, ()) for r in rows))
    chosen = balance(units, fractions, seed, **more).chosen
    return {row.subject: chosen[u.name] for u in units if not u.partition for row in u.rows}


def test_what_can_come_out_exactly_does():
    rows = cohort((300, ("a",)), (100, ("a", "b")), (40, ("c",)), (560, ()))
    where = balanced(rows)
    assert Counter(where.values()) == {"train": 700, "val": 100, "test": 200}
    for label, total in (("a", 400), ("b", 100), ("c", 40)):
        found = Counter(where[r.subject] for r in rows if label in r.labels)
        assert found == {"train": 0.7 * total, "val": 0.1 * total, "test": 0.2 * total}


def test_strata_are_balanced_like_labels():
    rows = [
        replace(r, strata=(f"sex={'MF'[n % 2]}",)) for n, r in enumerate(cohort((100, ("a",)), (100, ())))
    ]
    where = balanced(rows)
    for sex in "MF":
        found = Counter(where[r.subject] for r in rows if r.strata == (f"sex={sex}",))
        assert found == {"train": 70, "val": 10, "test": 20}


def test_a_rare_label_is_in_the_parts_where_it_must_be_seen():
    rows = cohort((3, ("rare",)), (97, ()))
    where = balanced(rows)
    assert sorted(where[r.subject] for r in rows if r.labels) == ["test", "train", "train"]


def test_the_seed_draws_who_goes_where():
    rows = cohort((60, ("a",)), (40, ()))
    splits = {tuple(sorted(balanced(rows, seed=seed).items())) for seed in range(5)}
    assert len(splits) == 5
    assert len({tuple(sorted(Counter(dict(s).values()).items())) for s in splits}) == 1


def test_kept_units_count_towards_the_balance():
    rows = cohort((10, ("a",)), (90, ()))
    kept = [replace(r, partition="test") if n < 5 or n >= 90 else r for n, r in enumerate(rows)]
    where = balanced(kept)
    assert Counter(where.values()) == {"train": 70, "val": 10, "test": 5}
    assert "test" not in {where[r.subject] for r in kept if r.labels and not r.partition}


def test_a_partition_can_be_kept_from_growing():
    assert Counter(balanced(cohort((100, ())), most={"test": 13}).values())["test"] == 13


def test_no_partition_stays_empty_where_the_sizes_allow_it():
    assert Counter(balanced(cohort((4, ()))).values()) == {"train": 2, "val": 1, "test": 1}
    assert Counter(balanced(cohort((3, ()))).values()) == {
        "train": 2,
        "test": 1,
    }  # 1 of 3 is too far from 70 %


def test_big_families_still_come_within_one_family():
    rows = cohort((40, ("a",)), (60, ()), group_of=lambda n: f"family-{n // 9}")
    sizes = Counter(balanced(rows).values())
    assert all(abs(sizes[p] - 100 * f) <= 9 for p, f in FRACTIONS.items())


def test_labels_never_pull_a_part_further_from_its_size_than_one_group():
    """Sizes that weigh nothing in the search are put right after it."""
    units = units_of(gather((r, ()) for r in cohort((30, ("a",)), (30, ("b",)), (40, ()))))
    problem = problem_of(units, units, FRACTIONS, {})
    counts = np.array([[n, 0, 0] for n in problem.supply])
    module._keep_sizes(problem, counts)
    assert np.abs(counts.sum(axis=0) - [70, 10, 20]).max() <= 1
    assert (counts.sum(axis=1) == problem.supply).all()


def crowded(number, seed, labels="abcdef", share=0.5, families=None):
    lot = random.Random(seed)
    found = [tuple(x for x in labels if lot.random() < share) for _ in range(number)]
    families = families or number
    return cohort(*((1, x) for x in found), group_of=lambda n: f"family-{n % families}")


def test_what_is_told_of_the_optimum_holds():
    proofs = set()
    for seed in range(12):
        units = units_of(gather((r, ()) for r in crowded(30 + 20 * seed, seed, families=20 + 10 * seed)))
        done = balance(units, FRACTIONS, seed)
        problem = problem_of(units, by_lot(units, seed), FRACTIONS, {})
        counts = counts_of(problem, done.chosen, by_lot(units, seed))
        assert problem.loss(counts) == pytest.approx(done.optimum.distance)
        assert done.optimum.bound <= done.optimum.distance
        assert done.optimum.bound >= least_terms(problem).sum() - 1e-6
        assert done.optimum.is_best == (done.optimum.distance - done.optimum.bound < 1e-5)
        proofs.add(done.optimum.proof)
    assert {"integers", "exact"} <= proofs


def counts_of(problem, chosen, free):
    return np.array(
        [[sum(chosen[free[m].name] == p for m in cell) for p in FRACTIONS] for cell in problem.members]
    )


def test_the_bound_is_the_best_of_every_division_of_each_label():
    """Brute force over all whole numbers that add up, with kept subjects and a floor."""
    rows = crowded(14, 3, "ab", 0.4)
    rows = [replace(r, partition="val") if n < 4 else r for n, r in enumerate(rows)]
    units = units_of(gather((r, ()) for r in rows))
    problem = problem_of(units, [u for u in units if not u.partition], FRACTIONS, {}, 1)
    whole = (problem.base.sum(axis=0) + problem.supply @ problem.values).astype(int)
    for feature, least in enumerate(least_terms(problem)):
        found = []
        for a, b in product(range(whole[feature] + 1), repeat=2):
            held = np.array([a, b, whole[feature] - a - b])
            if (held >= problem.base[:, feature]).all():
                totals = problem.target.copy()
                totals[:, feature] = held
                found.append(problem.terms(totals)[:, feature].sum())
        assert least == pytest.approx(min(found))


def test_a_search_alone_is_improved_by_branch_and_bound():
    better = 0
    for seed in range(6):
        units = units_of(gather((r, ()) for r in crowded(36, seed, families=12)))
        problem = problem_of(units, by_lot(units, seed), FRACTIONS, {})
        poor, _ = search.start(problem, np.arange(len(problem.supply)))
        found = improve(problem, poor, least_terms(problem))
        assert found.bound <= problem.loss(poor) + 1e-6
        if found.counts is not None:
            assert (found.counts.sum(axis=1) == problem.supply).all()
            assert problem.loss(found.counts) < problem.loss(poor)
            better += 1
    assert better


def test_a_search_keeps_its_sums():
    problem = problem_of(
        (units := units_of(gather((r, ()) for r in crowded(200, 1, families=90)))),
        units,
        FRACTIONS,
        {"test": 30},
    )
    order = np.arange(len(problem.supply))
    counts, totals = search.start(problem, order)
    before = problem.loss(counts)
    search.polish(problem, counts, totals, order)
    assert (counts.sum(axis=1) == problem.supply).all()
    assert (counts >= 0).all()
    assert np.allclose(problem.totals(counts), totals)
    assert problem.loss(counts) <= before
    assert totals[2, 0] <= 30


def test_every_part_gets_its_positives_as_far_as_there_are_any():
    for positive, expected in (
        (1, {"train": 1}),
        (2, {"train": 1, "test": 1}),
        (3, {"train": 1, "val": 1, "test": 1}),
        (5, {"train": 3, "val": 1, "test": 1}),
    ):
        rows = cohort((positive, ("rare",)), (97, ()))
        where = balanced(rows, min_positive=1)
        assert Counter(where[r.subject] for r in rows if r.labels) == expected
    where = balanced(cohort((20, ("rare",)), (80, ())), min_positive=4)
    assert Counter(where[f"subject-{n:04}"] for n in range(20)) == {"train": 12, "val": 4, "test": 4}


def test_nothing_to_place_is_fine():
    assert balance([], FRACTIONS, 0).chosen == {}
