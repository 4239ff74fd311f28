"""Whether a split keeps its promises."""

from isocenter.base.seeds import stream
from isocenter.model.issue import Severity
from isocenter.rules.catalogue.split.drifting_prevalence import drifting_prevalence
from isocenter.rules.catalogue.split.empty_partition import empty_partition
from isocenter.rules.catalogue.split.fractions_off_target import fractions_off_target
from isocenter.rules.catalogue.split.label_missing_in_partition import label_missing_in_partition
from isocenter.rules.catalogue.split.subject_in_two_partitions import subject_in_two_partitions
from isocenter.rules.catalogue.split.too_few_external_subjects import too_few_external_subjects
from isocenter.testing.rules import a_row, a_split, issues_of


def test_random_splits_of_one_population_rarely_drift() -> None:
    alarms = 0
    for seed in range(200):
        drawn = stream(seed, "prevalence").random(200) < 0.3
        rows = [
            a_row(f"s{n}", "train" if n < 140 else "test", labels=("x",) if is_positive else ())
            for n, is_positive in enumerate(drawn)
        ]
        alarms += bool(issues_of(drifting_prevalence, a_split(*rows)))
    assert alarms <= 6  # intervals of 95 % that do not meet: about 0.5 %


def test_groups_and_cases_must_stay_together_too() -> None:
    twins = (a_row("a", "train", group="twins"), a_row("b", "test", group="twins"))
    assert issues_of(subject_in_two_partitions, a_split(*twins)) == ["1 group is in more than one partition"]
    shared = (a_row("a", "train", cases=("c",)), a_row("b", "test", cases=("c", "d")))
    assert issues_of(subject_in_two_partitions, a_split(*shared)) == ["1 case is in more than one partition"]
    same = (a_row("a", "train", group="twins"), a_row("b", "train", group="twins"), a_row("c", ""))
    assert issues_of(subject_in_two_partitions, a_split(*same)) == []


def external(count: int, total: int) -> list[str]:
    test = [a_row(f"t{n}", "test", site="site-2" if n < count else "site-1") for n in range(total)]
    return issues_of(too_few_external_subjects, a_split(a_row("a", "train"), *test))


def test_exactly_a_fifth_from_outside_is_enough() -> None:
    assert external(2, 10) == external(1, 5) == []
    assert external(1, 10) == ["1 of 10 test subjects come from centres seen nowhere else, 1 short"]
    assert external(1, 11) == ["1 of 11 test subjects come from centres seen nowhere else, 2 short"]


def test_one_centre_has_nothing_to_hold_back_and_an_unknown_one_is_not_outside() -> None:
    assert issues_of(too_few_external_subjects, a_split(a_row("a", "train"), a_row("b", "test"))) == []
    rows = (a_row("a", "train"), a_row("b", "val", site="site-2"), a_row("c", "test", site=""))
    assert len(issues_of(too_few_external_subjects, a_split(*rows))) == 1


def test_a_centre_in_the_validation_part_is_not_outside() -> None:
    rows = (a_row("a", "train"), a_row("b", "val", site="site-2"), a_row("c", "test", site="site-2"))
    assert len(issues_of(too_few_external_subjects, a_split(*rows))) == 1


def test_only_partitions_that_were_asked_for_must_be_filled() -> None:
    rows = (a_row("a", "train"), a_row("b", "test"))
    assert issues_of(empty_partition, a_split(*rows, fractions={"train": 0.8, "val": 0.0, "test": 0.2})) == []
    assert issues_of(empty_partition, a_split(rows[0])) == ["no subject in test", "no subject in val"]


def test_a_cohort_too_small_for_a_partition_is_to_be_reviewed_not_rejected() -> None:
    few = a_split(*(a_row(f"s{n}", "train") for n in range(3)))
    many = a_split(*(a_row(f"s{n}", "train") for n in range(30)))
    no_train = a_split(a_row("s0", "test"))
    weights = [{i.message: i.severity for i in empty_partition(s)} for s in (few, many, no_train)]
    assert weights[0] == {"no subject in test": Severity.REVIEW, "no subject in val": Severity.REVIEW}
    assert weights[1] == {"no subject in test": Severity.REJECT, "no subject in val": Severity.REJECT}
    assert weights[2]["no subject in train"] is Severity.REJECT


def test_a_label_must_reach_every_partition() -> None:
    rows = (a_row("a", "train", labels=("x", "y")), a_row("b", "val", labels=("x",)), a_row("c", ""))
    assert issues_of(label_missing_in_partition, a_split(*rows)) == ["y is positive in 0 subjects of val"]
    assert len(issues_of(label_missing_in_partition, a_split(*rows), min_positive=2)) == 4


def test_few_subjects_cannot_be_divided_exactly() -> None:
    few = [a_row(f"s{n}", "train") for n in range(19)]
    assert issues_of(fractions_off_target, a_split(*few)) == []
    assert len(issues_of(fractions_off_target, a_split(*few, a_row("t", "train")))) == 3
