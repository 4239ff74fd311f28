"""Labels told by metadata alone: planted shortcuts are always seen, and chance seldom is."""

import numpy as np
from scipy.stats import mannwhitneyu

from isocenter.base.seeds import stream
from isocenter.rules.catalogue.split.scanner_tells_label import scanner_tells_label
from isocenter.rules.shortcut import _area, shortcut_of
from isocenter.testing.audited import an_audited_split, an_image
from isocenter.testing.rules import issues_of


def cohort(seed, prevalence, subjects=200, facts=6):
    """Two hospitals, one of which has the label more often, and further facts that tell nothing."""
    lot = stream(seed, "shortcut")
    sites = lot.integers(0, 2, subjects)
    positive = lot.random(subjects) < np.where(sites == 0, *prevalence)
    noise = lot.integers(0, 4, (subjects, facts))
    return [
        an_image(
            f"s{n}",
            "train",
            site=f"hospital-{sites[n]}",
            labels=("pneumonia",) if positive[n] else (),
            facts=tuple((f"fact-{k}", str(noise[n, k])) for k in range(facts)),
        )
        for n in range(subjects)
    ]


def test_the_prevalences_of_zech_are_always_seen():
    """34.2 % of one hospital against 1.2 % of the other (Zech et al. 2018)."""
    found = [issues_of(scanner_tells_label, an_audited_split(*cohort(s, (0.342, 0.012)))) for s in range(200)]
    assert sum(bool(f) for f in found) == 200
    assert all("most by site" in f[0] for f in found)


def test_hospitals_that_are_alike_are_seldom_accused():
    found = [issues_of(scanner_tells_label, an_audited_split(*cohort(s, (0.2, 0.2)))) for s in range(200)]
    assert sum(bool(f) for f in found) <= 10


def test_facts_that_tell_nothing_score_no_better_than_chance_however_many():
    lot = stream(0, "null")
    areas = []
    for _ in range(60):
        facts = [{f"f{k}": str(v) for k, v in enumerate(lot.integers(0, 5, 12))} for _ in range(120)]
        areas.append(shortcut_of(facts, lot.random(120) < 0.4).auc)
    assert abs(np.mean(areas) - 0.5) < 0.03


def test_the_area_is_that_of_the_rank_test():
    lot = stream(0, "area")
    score, truth = lot.integers(0, 9, 80).astype(float), lot.random(80) < 0.3
    u = mannwhitneyu(score[truth], score[~truth]).statistic
    assert abs(_area(score, truth) - u / (truth.sum() * (~truth).sum())) < 1e-12


def test_a_number_of_many_values_is_seen_by_its_quarters():
    lot = stream(0, "kvp")
    truth = lot.random(200) < 0.5
    facts = [{"spacing": f"{v:.4f}"} for v in np.where(truth, 1.0, 0.5) + lot.normal(0, 0.1, 200)]
    assert shortcut_of(facts, truth).auc > 0.95


def test_too_few_of_a_kind_and_facts_that_are_all_equal_tell_nothing():
    assert shortcut_of([{"a": str(n % 2)} for n in range(20)], [n < 4 for n in range(20)]) is None
    assert shortcut_of([{"a": "x"}] * 20, [n < 10 for n in range(20)]) is None
