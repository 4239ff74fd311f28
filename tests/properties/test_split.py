"""What holds for every split of every cohort."""

from collections import Counter, defaultdict
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from isocenter.model.split import SplitRow
from isocenter.stages.split.balance import balance
from isocenter.stages.split.cells import problem_of
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.rows import gather
from isocenter.stages.split.stage import split
from isocenter.stages.split.units import by_lot, units_of

STRATEGIES = ["grouped", "stratified", "site-holdout"]
FRACTIONS = [
    {"train": 0.7, "val": 0.1, "test": 0.2},
    {"train": 0.6, "val": 0.2, "test": 0.2},
    {"train": 0.8, "test": 0.2},
    {"train": 0.5, "val": 0.0, "test": 0.5},
]


@st.composite
def cohorts(draw, most=25, sites=5, groups=8, labels=3):
    size = draw(st.integers(1, most))
    site = st.integers(0, draw(st.integers(1, sites)) - 1).map("centre-{}".format)
    group = st.one_of(st.just(""), st.integers(0, groups).map("family-{}".format))
    label = st.lists(st.sampled_from([f"label-{n}" for n in range(labels)]), unique=True).map(tuple)
    return [
        SplitRow(subject=f"subject-{n:02}", site=draw(site), group=draw(group), labels=draw(label))
        for n in range(size)
    ]


def options(strategy, fractions=None, **more):
    return SplitOptions(strategy=strategy, fractions=fractions or FRACTIONS[0], **more)


def places(done):
    return {r.subject: r.partition for r in done.rows}


def largest_group(rows):
    return max(Counter(r.group for r in gather((r, ()) for r in rows)).values())


def sizes_within_one_group(done, rows):
    slack = largest_group(rows) + 1e-9
    return all(abs(len(done.of(p)) - f * len(rows)) <= slack for p, f in done.fractions.items())


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=50, deadline=None)
@given(rows=cohorts(), fractions=st.sampled_from(FRACTIONS), seed=st.integers(0, 5))
def test_nobody_and_no_group_is_in_two_partitions(strategy, rows, fractions, seed):
    done = split(rows, options(strategy, fractions), seed=seed)
    assert sorted(r.subject for r in done.rows) == sorted(r.subject for r in rows)
    assert {r.partition for r in done.rows} <= {p for p, f in fractions.items() if f > 0}
    where = places(done)
    together = defaultdict(set)
    for row in rows:  # by the names that went in, not by those that came out
        together[row.group or row.subject].add(where[row.subject])
    assert all(len(found) == 1 for found in together.values())


@pytest.mark.parametrize("strategy", [*STRATEGIES, "auto"])
@settings(max_examples=50, deadline=None)
@given(rows=cohorts(), seed=st.integers(0, 5), lot=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_never_matters(strategy, rows, seed, lot):
    shuffled = lot.sample(rows, len(rows))
    assert split(shuffled, options(strategy), seed=seed) == split(rows, options(strategy), seed=seed)


@pytest.mark.parametrize("strategy", [*STRATEGIES, "auto"])
@settings(max_examples=50, deadline=None)
@given(rows=cohorts(), cut=st.floats(0, 1), seeds=st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_earlier_places_never_move(strategy, rows, cut, seeds):
    """Subjects come and go, families get to be known, the seed changes: nobody moves."""
    first = [r if n % 3 else SplitRow(subject=r.subject, site=r.site) for n, r in enumerate(rows)]
    first = first[: 1 + int(cut * (len(rows) - 1))]
    before = split(first, options(strategy), seed=seeds[0])
    after = split(rows[len(rows) // 4 :], options(strategy), seed=seeds[1], previous=before)
    assert {s: p for s, p in places(after).items() if s in places(before)} == places(before)
    again = split(rows, options(strategy), seed=seeds[0], previous=after)
    assert {s: p for s, p in places(again).items() if s in places(after)} == places(after)


@pytest.mark.parametrize("strategy", ["grouped", "stratified"])
@settings(max_examples=50, deadline=None)
@given(rows=cohorts(), fractions=st.sampled_from(FRACTIONS), seed=st.integers(0, 5))
def test_sizes_are_within_one_largest_group_of_their_fractions(strategy, rows, fractions, seed):
    assert sizes_within_one_group(split(rows, options(strategy, fractions), seed=seed), rows)


@settings(max_examples=200, deadline=None)
@given(
    rows=cohorts(),
    fractions=st.sampled_from(FRACTIONS),
    share=st.sampled_from([0.1, 0.2, 0.34, 0.5]),
    seed=st.integers(0, 3),
)
def test_the_external_share_holds_whenever_some_set_of_centres_allows_it(rows, fractions, share, seed):
    done = split(rows, options("site-holdout", fractions, min_external_share=share), seed=seed)
    test = done.of("test")
    trained = {r.site for r in done.rows if r.partition != "test"}
    external = [r for r in test if r.site not in trained]
    assert {r.subject for r in test if r.is_external} == {r.subject for r in external}
    said = [n for n in done.notes if n.startswith("no set of whole centres")]
    if is_feasible(rows, fractions["test"], share):
        assert len(external) >= share * len(test) - 1e-9
        assert sizes_within_one_group(done, rows)
        assert said == []
    else:
        assert len(said) == 1


def is_feasible(rows, fraction, share):
    """Brute force over the sets of centres: one fits the test part, and gives the share of its subjects."""
    target = fraction * len(rows)
    group_of = {r.subject: r.group or r.subject for r in rows}
    centres = sorted({r.site for r in rows})
    for bits in product([False, True], repeat=len(centres)):
        held = {c for c, is_held in zip(centres, bits, strict=True) if is_held}
        groups = {group_of[r.subject] for r in rows if r.site in held}
        forced = sum(group_of[r.subject] in groups for r in rows)
        external = sum(r.site in held for r in rows)
        if held == set(centres) or forced > target + largest_group(rows):
            continue
        if external >= share * max(forced, target) - 1e-9:
            return True
    return False


@settings(max_examples=60, deadline=None)
@given(rows=cohorts(most=7, sites=1, groups=3), fractions=st.sampled_from(FRACTIONS), seed=st.integers(0, 3))
def test_a_tiny_cohort_is_balanced_as_well_as_any_of_all_splits_is(rows, fractions, seed):
    """Compared with every assignment there is; where a part would be empty, one of its units may be forced."""
    units = units_of(gather((r, ()) for r in rows))
    names = [p for p in ("train", "val", "test") if fractions.get(p, 0) > 0]
    free = by_lot(units, seed)
    problem = problem_of(units, free, fractions, {})
    chosen = balance(units, fractions, seed).chosen

    def loss(where):
        counts = np.zeros((len(problem.supply), len(names)), dtype=np.int64)
        for cell, members in enumerate(problem.members):
            for member in members:
                counts[cell, where[member]] += 1
        return problem.loss(counts)

    best = min(product(range(len(names)), repeat=len(free)), key=loss)
    assume(len(set(best)) == len(set(chosen.values())))
    assert loss([names.index(chosen[u.name]) for u in free]) <= loss(best) + 1e-9
