"""Places that an earlier run or the source has decided."""

from isocenter.model.split import SplitRow
from isocenter.stages.split.places import keep_places


def row(subject, partition="", group="", **more):
    return SplitRow(subject=subject, partition=partition, group=group, **more)


def kept(rows, earlier=(), use_given=True):
    return keep_places(rows, {r.subject: r for r in earlier}, use_given=use_given)


def where(found):
    return {r.subject: r.partition for r in found.rows}


def test_an_earlier_place_holds_and_new_subjects_are_free():
    found = kept([row("a"), row("b")], [row("a", "val", is_external=True)])
    assert where(found) == {"a": "val", "b": ""}
    assert found.rows[0].is_external


def test_a_new_member_of_a_group_follows_it():
    assert where(kept([row("a", group="f"), row("b", group="f")], [row("a", "test")])) == {
        "a": "test",
        "b": "test",
    }


def test_what_the_source_says_holds_only_where_it_counts():
    rows = [row("a", "test"), row("b", group="f"), row("c", "val", group="f"), row("d")]
    assert where(kept(rows)) == {"a": "test", "b": "val", "c": "val", "d": ""}
    ignored = kept(rows, use_given=False)
    assert set(where(ignored).values()) == {""}
    assert ignored.notes == ("partitions that the source gives were not used (2 groups of subjects)",)


def test_all_is_given_only_if_everybody_has_a_partition():
    assert kept([row("a", "test"), row("b", "train")]).is_given
    assert not kept([row("a", "test"), row("b")]).is_given
    assert not kept([]).is_given


def test_a_source_that_divides_a_subject_loses_it_to_the_part_never_trained_on():
    found = kept(
        [row("a", "train"), row("a", "test"), row("b", "train", group="f"), row("c", "val", group="f")]
    )
    assert where(found) == {"a": "test", "b": "val", "c": "val"}
    assert [(i.rule, i.target, i.measured) for i in found.issues] == [
        ("split/source-divided", "a", "1 in test, 1 in train"),
        ("split/source-divided", "b", "1 in train, 1 in val"),
    ]


def test_an_earlier_place_comes_before_the_source():
    found = kept([row("a", "test"), row("b", "test")], [row("a", "train")])
    assert where(found) == {"a": "train", "b": "test"}
    assert "the earlier place holds" in found.notes[0]


def test_a_group_that_was_divided_before_it_was_known_is_told_and_nobody_moves():
    rows = [row(s, group="f") for s in "abcd"]
    found = kept(rows, [row("a", "train"), row("b", "test"), row("c", "train")])
    assert where(found) == {"a": "train", "b": "test", "c": "train", "d": "train"}
    assert "append_only: false" in found.notes[0]
