"""Random cohorts, split in every way and judged by a plain count; ISOCENTER_COHORTS says how many."""

import os
import random
from collections import Counter

import pytest

from isocenter.model.split import SplitRow
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.outer import outer_splits
from isocenter.stages.split.rows import gather
from isocenter.stages.split.stage import split
from tests.properties.plain_split import best_distance, components, counted, distance

BLOCK = 50
BLOCKS = range(int(os.environ.get("ISOCENTER_COHORTS", "150")) // BLOCK)
STRATEGIES = ("stratified", "stratified", "site-holdout", "grouped", "k-fold", "nested-k-fold", "temporal")
FRACTIONS = (
    {"train": 0.7, "val": 0.1, "test": 0.2},
    {"train": 0.6, "val": 0.2, "test": 0.2},
    {"train": 0.8, "test": 0.2},
    {"train": 1 / 3, "val": 1 / 3, "test": 1 / 3},
)


def cohort(lot):
    """People with sites, families, several labels, further links, and when they came."""
    size = round(4 * 60 ** lot.random())
    labels = [(f"label-{n}", lot.random() ** 2) for n in range(lot.randint(1, 8))]
    families, sites = lot.choice([0, size // 2 + 1, size]), lot.randint(1, 9)
    rows, links = [], {}
    for n in range(size):
        day = lot.randint(0, 400)
        rows.append(
            SplitRow(
                subject=f"subject-{n:03}",
                site=f"site-{int(sites * lot.random() ** 2)}",
                group=f"family-{lot.randrange(families)}" if families and lot.random() < 0.6 else "",
                labels=tuple(name for name, share in labels if lot.random() < share),
                cases=(f"case-{n}",),
                first=str(day),
                last=str(day + lot.choice([0, 0, 0, 30])),
            )
        )
        if lot.random() < 0.1:
            links[f"subject-{n:03}"] = (("study", lot.randrange(3 + size // 4)),)
    return rows, links


def options_of(lot):
    return SplitOptions(
        strategy=lot.choice(STRATEGIES),
        fractions=lot.choice(FRACTIONS),
        folds=lot.choice([2, 3, 5]),
        inner_folds=lot.choice([2, 3]),
        min_positive=lot.choice([0, 1, 1, 2]),
    )


def judged(number, counts):
    lot = random.Random(f"cohort {number}")
    rows, links = cohort(lot)
    options = options_of(lot)
    told = [(r, tuple(f"{k} {v}" for k, v in links.get(r.subject, ()))) for r in rows]
    done = split(gather(told), options, seed=number)
    groups = components(rows, links)
    place = {r.subject: r.partition for r in done.rows}
    assert sorted(place) == sorted(r.subject for r in rows) == sorted(r.subject for r in done.rows)
    leaks = sum(len({place[s] for s in group}) > 1 for group in groups)
    for outer in outer_splits(done):
        within = {r.subject: r.partition for r in outer.rows}
        leaks += sum(len({within[s] for s in group}) > 1 for group in groups)
    assert leaks == 0
    certificate = done.certificate
    assert certificate.holds
    assert certificate.groups == len(groups)
    parts = [p for p, f in done.fractions.items() if f > 0]
    counted_anew = counted(rows, place, parts)
    stated = {(d.name, d.partition): d.count for d in certificate.deviations if d.partition in parts}
    assert stated == counted_anew
    counts["cohorts"] += 1
    counts["subjects"] += len(rows)
    counts[done.strategy] += 1
    optimum = certificate.optimum
    if optimum is None:
        return
    largest = max(map(len, groups))
    found = distance(rows, place, done.fractions, options.min_positive, largest > 1)
    assert found == pytest.approx(optimum.distance, abs=1e-6)
    assert optimum.bound <= optimum.distance + 1e-6
    for d in certificate.deviations:  # what is printed bounds every label: no term is larger than the sum
        if d.kind == "label" and d.partition in parts:
            assert d.off**2 <= optimum.distance * d.target + 1e-6
            assert d.off >= d.least - 1e-9
    counts[f"proved ({optimum.proof})" if optimum.is_best else "bounded"] += 1
    if done.strategy != "site-holdout":
        sizes = Counter(place.values())
        assert all(abs(sizes[p] - done.fractions[p] * len(rows)) <= largest + 1e-9 for p in parts)
        if len(parts) ** len(groups) <= 800:
            best = best_distance(rows, groups, done.fractions, options.min_positive)
            assert optimum.bound <= best + 1e-6
            if optimum.is_best:
                assert found == pytest.approx(best, abs=1e-5)
            counts["compared with every split there is"] += 1


@pytest.mark.parametrize("block", BLOCKS)
def test_nobody_is_in_two_parts_and_the_certificate_tells_the_truth(block, record_property):
    counts = Counter()
    for number in range(block * BLOCK, (block + 1) * BLOCK):
        judged(number, counts)
    assert counts["cohorts"] == BLOCK
    for what, count in sorted(counts.items()):
        record_property(what, count)
