"""Which options placed whom, over several runs."""

import pytest

from isocenter.model.split import Split, SplitRow
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.stage import split

STRATIFIED = SplitOptions(strategy="stratified")
GROUPED = SplitOptions(strategy="grouped", fractions={"train": 0.4, "val": 0.3, "test": 0.3})


def people(number, **more):
    return [SplitRow(subject=f"s{n:02}", site="c", cases=(f"k{n}",), **more) for n in range(number)]


def kept(done):
    return [n for n in done.notes if "keep" in n and "earlier split" in n]


def held(done):
    return [(w.strategy, w.seed, w.subjects) for w in done.earlier]


def test_the_same_options_again_are_nothing_to_tell():
    before = split(people(20), STRATIFIED, seed=0)
    assert split(people(20), STRATIFIED, seed=0, previous=before) == before
    assert (held(before), kept(before)) == ([], [])


def test_other_options_that_place_nobody_are_an_issue():
    before = split(people(20), STRATIFIED, seed=0)
    after = split(people(20), GROUPED, seed=7, previous=before)
    assert (after.rows, after.strategy, after.seed) == (before.rows, "stratified", 0)
    assert (after.fractions, after.asked) == (before.fractions, before.asked)
    (issue,) = after.issues
    assert (issue.rule, issue.measured) == (
        "split/kept-places",
        "stratified, seed 0, train 0.7, val 0.1, test 0.2",
    )
    assert issue.expected == "grouped, seed 7, train 0.4, val 0.3, test 0.3"
    (note,) = kept(after)
    assert note.startswith("20 subjects keep the place that an earlier split gave them (stratified, seed 0, ")
    assert note.endswith("test 0.2); set split.append_only: false to divide all of them anew")


def test_an_option_left_unsaid_above_is_told_where_it_differs():
    options = SplitOptions(strategy="stratified", strata=("sex",))
    after = split(people(9), options, seed=0, previous=split(people(9), STRATIFIED, seed=0))
    assert after.issues[0].expected == "stratified, seed 0, train 0.7, val 0.1, test 0.2, strata sex"
    assert after.issues[0].measured.endswith("strata none")


def test_new_subjects_are_placed_by_the_new_options_and_the_others_are_counted():
    first = split(people(20), STRATIFIED, seed=0)
    second = split(people(29), GROUPED, seed=7, previous=first)
    assert (second.strategy, second.seed, second.fractions) == ("grouped", 7, GROUPED.fractions)
    assert (held(second), second.issues) == ([("stratified", 0, 20)], ())
    assert kept(second)[0].startswith("20 subjects keep the place")
    assert split(people(29), GROUPED, seed=7, previous=second) == second
    third = split(people(30), STRATIFIED, seed=3, previous=second)
    assert held(third) == [("stratified", 0, 20), ("grouped", 7, 9)]
    back = split(people(32), STRATIFIED, seed=0, previous=third)
    assert (back.seed, held(back)) == (0, [("grouped", 7, 9), ("stratified", 3, 1)])


def test_who_follows_a_group_was_not_placed_by_the_new_options():
    before = split(people(20), STRATIFIED, seed=0)
    rows = [*people(20), SplitRow(subject="twin", group="s03")]
    rows[3] = SplitRow(subject="s03", site="c", group="s03", cases=("k3",))
    after = split(rows, GROUPED, seed=7, previous=before)
    assert after.strategy == "stratified"
    assert [i.rule for i in after.issues] == ["split/kept-places"]


def test_what_auto_means_now_is_not_claimed_for_places_of_before():
    before = split(people(20), SplitOptions(), seed=0)
    more = [SplitRow(subject=f"t{n:02}", site="d") for n in range(10)]
    after = split([*people(20), *more], SplitOptions(), seed=0, previous=before)
    assert (after.strategy, held(after)) == ("site-holdout", [("stratified", 0, 20)])


@pytest.mark.parametrize(("seed", "issues"), [(0, 0), (1, 1)])
def test_a_split_from_elsewhere_states_no_further_options(seed, issues):
    rows = tuple(SplitRow(subject=r.subject, partition="train") for r in people(4))
    foreign = Split(strategy="stratified", seed=0, fractions=STRATIFIED.fractions, rows=rows)
    assert len(split(people(4), SplitOptions(), seed=seed, previous=foreign).issues) == issues


def test_anew_forgets_the_ways_of_before():
    before = split(people(20), STRATIFIED, seed=0)
    options = SplitOptions(strategy="grouped", append_only=False)
    done = split(people(20), options, seed=7, previous=before)
    assert (done.strategy, held(done), kept(done)) == ("grouped", [], [])
