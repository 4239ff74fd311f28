"""The certificate counts the rows, and nothing else."""

from dataclasses import replace

import pytest

from isocenter.model.prevalence import wilson_interval
from isocenter.model.split import SplitRow
from isocenter.stages.split.certificate import certify
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.stage import split

HALVES = {"train": 0.5, "test": 0.5}


def row(name, partition, *labels, **more):
    return SplitRow(subject=name, partition=partition, labels=labels, group=more.pop("group", name), **more)


def test_what_is_in_two_places_is_counted():
    rows = [row("a", "train"), row("a", "test"), row("b", "train", group="g"), row("c", "test", group="g")]
    found = certify([*rows, row("d", "test", cases=("k",)), row("e", "train", cases=("k",))], HALVES)
    assert (found.subjects_twice, found.groups_divided, found.cases_twice) == (1, 2, 1)
    assert not found.holds
    assert certify([row("a", "train"), row("b", "test")], HALVES).holds
    assert certify([row("a", "test", group="g"), row("b", "reserve", group="g")], HALVES).holds


def test_deviations_are_those_of_a_count_by_hand():
    rows = [row(f"s{n}", "train" if n < 6 else "test", *["x"] * (n in (0, 1, 2, 6, 7))) for n in range(10)]
    found = {(d.kind, d.partition): d for d in certify(rows, HALVES).deviations}
    size, label = found["subjects", "train"], found["label", "train"]
    assert (size.count, size.subjects, size.target, size.off, size.least) == (6, 10, 5, 1, 0)
    assert (label.count, label.subjects, label.target, label.off, label.least) == (3, 6, 2.5, 0.5, 0.5)
    assert (label.low, label.high) == wilson_interval(3, 6)


def test_who_is_not_there_has_a_place_and_no_count():
    rows = [row("a", "train"), row("b", "test"), row("c", "test", is_present=False)]
    found = certify(rows, HALVES)
    assert found.subjects == 2
    assert found.cohort == certify(rows[:2], HALVES).cohort
    assert found.places != certify(rows[:2], HALVES).places


@pytest.mark.parametrize(
    "change", [{"labels": ("y",)}, {"site": "s"}, {"group": "b"}, {"strata": ("sex=F",)}, {"cases": ("k",)}]
)
def test_the_cohort_is_known_by_all_that_is_split_by(change):
    rows = [row("a", "train"), row("b", "test")]
    assert certify([replace(rows[0], **change), rows[1]], HALVES).cohort != certify(rows, HALVES).cohort


def people(number, sites=1, start=0):
    return [
        SplitRow(subject=f"s{n:03}", site=f"c{n % sites}", labels=("x",) * (n % 3 == 0), cases=(f"k{n}",))
        for n in range(start, start + number)
    ]


def test_a_split_that_finds_nothing_new_keeps_what_was_proved():
    before = split(people(50), SplitOptions(), seed=0)
    assert before.certificate.optimum.is_best
    assert split(people(50), SplitOptions(), seed=0, previous=before).certificate == before.certificate
    changed = [replace(r, labels=("y",)) for r in people(50)]
    assert split(changed, SplitOptions(), seed=0, previous=before).certificate.optimum is None


class TestALockedTestPart:
    options = SplitOptions(lock_test=True)

    def test_nobody_comes_or_goes(self):
        before = split(people(60), self.options, seed=0)
        after = split(people(120), self.options, seed=4, previous=before)
        assert {r.subject for r in after.of("test")} == {r.subject for r in before.of("test")}
        assert after.certificate.holds
        open_ = split(people(120), SplitOptions(), seed=4, previous=before)
        assert len(open_.of("test")) > len(before.of("test"))

    def test_it_outlives_a_division_anew(self):
        before = split(people(60), self.options, seed=0)
        anew = replace(self.options, append_only=False)
        after = split(people(60), anew, seed=9, previous=before)
        assert {r.subject for r in after.of("test")} == {r.subject for r in before.of("test")}
        assert {r.subject for r in after.of("val")} != {r.subject for r in before.of("val")}

    def test_newcomers_of_its_centres_and_its_people_are_in_reserve(self):
        before = split(people(60, sites=11), self.options, seed=0)
        held = {r.site for r in before.rows if r.is_external}
        kin = before.of("test")[-1].subject
        more = [SplitRow(subject=f"new-{s}", site=s) for s in sorted(held)]
        more.append(SplitRow(subject="twin", site="c0", group="family"))
        rows = [replace(r, group="family") if r.subject == kin else r for r in people(60, sites=11)]
        after = split([*rows, *more], self.options, seed=0, previous=before)
        assert {r.subject for r in after.of("reserve")} == {r.subject for r in more}
        assert {r.subject for r in after.of("test")} == {r.subject for r in before.of("test")}
        assert any("in reserve" in n for n in after.notes)
        assert after.certificate.holds
        assert {r.site for r in after.rows if r.is_external} == held
