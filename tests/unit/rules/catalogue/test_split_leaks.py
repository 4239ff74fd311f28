"""Rules that look for leaks in what is known of images: planted ones, and what is none."""

import pytest

from isocenter.model.issue import Severity
from isocenter.model.split import SplitRow
from isocenter.rules.catalogue.split.early_test_part import early_test_part
from isocenter.rules.catalogue.split.mirrored_or_cropped_twin import mirrored_or_cropped_twin
from isocenter.rules.catalogue.split.near_duplicate import near_duplicate
from isocenter.rules.catalogue.split.same_pixels import same_pixels
from isocenter.rules.catalogue.split.selected_test_part import selected_test_part
from isocenter.rules.catalogue.split.shared_site import shared_site
from isocenter.rules.catalogue.split.slices_of_one_volume import slices_of_one_volume
from isocenter.rules.catalogue.split.study_in_two_partitions import study_in_two_partitions
from isocenter.rules.catalogue.split.subject_in_two_partitions import subject_in_two_partitions
from isocenter.rules.catalogue.split.too_few_external_subjects import too_few_external_subjects
from isocenter.testing.audited import an_audited_split, an_image, twins
from isocenter.testing.rules import a_split, issues_of


@pytest.mark.parametrize(
    ("rule", "field"),
    [(study_in_two_partitions, "studies"), (slices_of_one_volume, "volumes"), (same_pixels, "digest")],
)
def test_what_is_shared_matters_across_partitions_only(rule, field):
    def found(*places):
        images = [
            an_image(f"i{n}", place, **{field: "x" if field == "digest" else ("x",)})
            for n, place in enumerate(places)
        ]
        return [i.severity for i in rule(an_audited_split(*images))]

    assert found("train", "test") == [Severity.REJECT]
    assert found("train", "val") == [Severity.REJECT]
    assert Severity.REJECT not in found("train", "train")
    assert Severity.REJECT not in found("train", "")
    assert found("test", "reserve") == []


def test_a_volume_that_only_names_tell_is_to_be_looked_at():
    pair = [
        an_image(n, p, volumes=("v",), is_volume_guessed=True) for n, p in (("a", "train"), ("b", "test"))
    ]
    (issue,) = slices_of_one_volume(an_audited_split(*pair))
    assert issue.severity is Severity.REVIEW


def test_what_was_left_out_leaks_nothing():
    pair = (an_image("a", "train", digest="x"), an_image("b", "test", digest="x", left_out="duplicate"))
    assert issues_of(same_pixels, an_audited_split(*pair)) == []


@pytest.mark.parametrize("kind", ["near-duplicate", "mirrored", "cropped", "same-pixels"])
def test_every_kind_of_twins_has_one_rule(kind):
    split = an_audited_split(twins=twins(kind))
    rules = (near_duplicate, mirrored_or_cropped_twin, same_pixels)
    found = [len(issues_of(rule, split)) for rule in rules]
    assert found == {"near-duplicate": [1, 0, 0], "same-pixels": [0, 0, 1]}.get(kind, [0, 1, 0])


def test_twins_of_one_part_are_noted_and_those_of_one_subject_are_no_matter():
    images = [an_image("a", "train"), an_image("b", "train"), an_image("c", "test", subject="a")]
    side_by_side = an_audited_split(*images, twins=twins("near-duplicate", "a", "b"))
    assert [i.severity for i in near_duplicate(side_by_side)] == [Severity.NOTE]
    own = an_audited_split(*images, twins=twins("near-duplicate", "a", "c"))
    assert issues_of(near_duplicate, own) == []
    stranger = an_audited_split(*images, twins=twins("near-duplicate", "a", "nobody"))
    assert issues_of(near_duplicate, stranger) == []


def test_a_site_may_be_shared_where_nobody_claims_otherwise():
    pair = (an_image("a", "train", site="s"), an_image("b", "test", site="s"))
    assert issues_of(shared_site, an_audited_split(*pair)) == []
    rows = (
        SplitRow(subject="a", site="s", partition="val"),
        SplitRow(subject="b", site="s", partition="test", is_external=True),
    )
    assert len(issues_of(shared_site, an_audited_split(*pair, split=a_split(*rows)))) == 1


def test_a_site_that_is_joined_with_another_is_still_that_site():
    pair = (an_image("a", "train", site="s+t"), an_image("b", "test", site="t"))
    (issue,) = shared_site(an_audited_split(*pair, is_independent=True))
    assert issue.measured == "t: 1"


def test_the_test_part_may_be_as_early_as_it_is_where_nobody_claims_otherwise():
    pair = (an_image("a", "train", date="2020-03-01"), an_image("b", "test", date="2019-03-01"))
    assert issues_of(early_test_part, an_audited_split(*pair)) == []


def test_a_later_test_part_passes_and_the_same_day_does_not():
    for day, n in (("2020-03-02", 0), ("2020-03-01", 1)):
        pair = (an_image("a", "val", date="2020-03-01T12:00:00"), an_image("b", "test", date=day))
        assert len(issues_of(early_test_part, an_audited_split(*pair, is_temporal=True))) == n


def test_without_dates_the_rows_tell_and_without_those_a_person_must():
    pair = (an_image("a", "train"), an_image("b", "test"))
    (issue,) = early_test_part(an_audited_split(*pair, is_temporal=True))
    assert issue.severity is Severity.REVIEW
    rows = (
        SplitRow(subject="a", partition="train", first="3", last="9"),
        SplitRow(subject="b", partition="test", first="8", last="12"),
    )
    (issue,) = early_test_part(an_audited_split(*pair, split=a_split(*rows), is_temporal=True))
    assert issue.severity is None or issue.severity is Severity.REJECT
    assert "by 1 day at most" in issue.message


@pytest.mark.parametrize(
    ("train", "test", "severities"),
    [
        (["9", "nan"], ["3", "4"], [Severity.REVIEW, None]),
        (["9", "inf"], ["12"], [Severity.REVIEW]),
        (["-30"], ["-40"], [None]),
        (["-30"], ["-20"], []),
        (["20190101"], ["2020-05-01"], []),
        (["20200601"], ["2020-05-01"], [None]),
        (["2019-01-01"], ["30"], [Severity.REVIEW]),
        (["2019-01-01", ""], ["2020-05-01"], [Severity.REVIEW]),
        (["2019-01-01"], ["2020-05-01", "soon"], [Severity.REVIEW]),
    ],
)
def test_times_are_dates_or_numbers_and_who_has_none_is_counted(train, test, severities):
    images = [an_image(f"a{n}", "train", date=d) for n, d in enumerate(train)]
    images += [an_image(f"b{n}", "test", date=d) for n, d in enumerate(test)]
    images.append(an_image("c", "reserve"))
    rows = [SplitRow(subject=i.id, partition=i.partition, first=i.date) for i in images]
    bare = [an_image(i.id, i.partition) for i in images]
    for split in (
        an_audited_split(*images, is_temporal=True),
        an_audited_split(*bare, split=a_split(*rows), is_temporal=True),
    ):
        found = [i.severity for i in early_test_part(split)]
        assert found == [s or Severity.REJECT for s in severities]


def test_who_is_in_reserve_is_in_no_partition():
    rows = (
        SplitRow(subject="a", partition="train", site="s"),
        SplitRow(subject="b", partition="test", site="t", group="g", is_external=True),
        SplitRow(subject="c", partition="reserve", site="t", group="g"),
    )
    split = a_split(*rows)
    assert issues_of(subject_in_two_partitions, split) == []
    assert issues_of(too_few_external_subjects, split) == []
    assert issues_of(shared_site, an_audited_split(split=split)) == []


def test_images_that_share_several_studies_are_told_once():
    pair = [an_image(n, p, studies=("1", "2")) for n, p in (("a", "train"), ("b", "test"))]
    assert len(issues_of(study_in_two_partitions, an_audited_split(*pair))) == 1


@pytest.mark.parametrize(("out", "severity"), [(1, Severity.NOTE), (12, Severity.REVIEW)])
def test_a_test_part_that_lost_more_than_chance_is_looked_at(out, severity):
    train = [an_image(f"a{n}", "train", left_out="x" if n == 0 else "") for n in range(40)]
    test = [an_image(f"b{n}", "test", left_out="x" if n < out else "") for n in range(20)]
    (issue,) = selected_test_part(an_audited_split(*train, *test))
    assert issue.severity is severity
    assert issue.measured == f"x: {out}"
