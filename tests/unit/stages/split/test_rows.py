"""From cases to subjects, and from subjects to what must stay together."""

from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.rows import CaseRow, LabelState
from isocenter.model.split import SplitRow
from isocenter.stages.split.rows import Components, Record, gather, rows_of, subjects_of


def case(id_, subject, *, site="centre", labels=(), verdict="keep", pixels="", partition="", **attributes):
    return CaseRow(
        id=id_,
        subject=subject,
        site=site,
        timepoint="",
        shard=0,
        digest="",
        verdict=verdict,
        channels=("ct",),
        shape=(1, 1, 1),
        spacing_mm=(1.0, 1.0, 1.0),
        labels=labels,
        raters=(),
        attributes=tuple(Attribute(name=n, value=str(v)) for n, v in attributes.items()),
        statistics=(),
        pixel_digest=pixels or id_,
        partition=partition,
    )


def positive(*names):
    return tuple(LabelState(label=n, state="positive") for n in names)


def test_a_subject_is_positive_if_any_of_its_cases_is():
    negative = (LabelState(label="a", state="negative"), LabelState(label="c", state="unknown"))
    (row,) = rows_of([case("k2", "s", labels=positive("a", "b")), case("k1", "s", labels=negative)])
    assert (row.subject, row.labels, row.cases, row.group) == ("s", ("a", "b"), ("k1", "k2"), "s")


def test_rejected_cases_are_left_out_and_those_in_review_count():
    rows = rows_of([case("k1", "s", verdict="reject"), case("k2", "t", verdict="review")])
    assert [r.subject for r in rows] == ["t"]


def test_equal_images_keep_their_subjects_together():
    rows = rows_of([case("k1", "s", pixels="x"), case("k2", "t", pixels="x"), case("k3", "u")])
    assert [r.group for r in rows] == ["s", "s", "u"]


def test_strata_come_from_known_attributes():
    cases = [case("k1", "s", sex="M"), case("k2", "t", sex="F"), case("k3", "u")]
    withheld = Attribute(name="sex", value="M", state=AttributeState.WITHHELD)
    cases[2] = CaseRow(**{f: getattr(cases[2], f) for f in CaseRow.__slots__} | {"attributes": (withheld,)})
    assert [r.strata for r in rows_of(cases, ["sex"])] == [("sex=M",), ("sex=F",), ()]


def test_many_numbers_are_cut_into_quarters():
    rows = rows_of([case(f"k{n}", f"s{n:02}", age=n, year=n % 3) for n in range(20)], ["age", "year"])
    bands = [r.strata[0] for r in rows]
    assert bands == sorted(bands)
    assert [bands.count(f"age=quarter {q} of 4") for q in (1, 2, 3, 4)] == [5, 5, 5, 5]
    assert rows[4].strata[1] == "year=1"


def test_groups_come_from_attributes_too():
    rows = rows_of([case("k1", "s", family=1), case("k2", "t", family=1), case("k3", "u")], groups=["family"])
    assert [r.group for r in rows] == ["s", "s", "u"]


def test_what_the_source_gave_is_told_per_partition():
    rows = rows_of([case("k1", "s", partition="train"), case("k2", "s", partition="test"), case("k3", "t")])
    assert [(r.subject, r.partition, r.cases) for r in rows] == [
        ("s", "test", ("k2",)),
        ("s", "train", ("k1",)),
        ("t", "", ("k3",)),
    ]


def test_links_reach_through_others():
    rows = [
        SplitRow(subject=s, group=g) for s, g in [("d", "2"), ("a", "1"), ("b", "1"), ("b", "2"), ("c", "")]
    ]
    assert [(r.subject, r.group) for r in gather((r, ()) for r in rows)] == [
        ("a", "a"),
        ("b", "a"),
        ("c", "c"),
        ("d", "a"),
    ]


def test_gathering_again_changes_nothing():
    rows = [SplitRow(subject=f"s{n}", group=str(n % 4), site=f"c{n % 3}", labels=("x",)) for n in range(12)]
    once = gather((r, ()) for r in rows)
    assert gather((r, ()) for r in once) == once


def test_centres_that_share_a_subject_count_as_one():
    rows = [
        SplitRow(subject=s, site=c) for s, c in [("p", "a"), ("p", "b"), ("q", "b"), ("r", "c"), ("t", "")]
    ]
    assert [r.site for r in gather((r, ()) for r in rows)] == ["a+b", "a+b", "c", ""]


def test_strata_are_added_to_those_a_row_has():
    record = Record(row=SplitRow(subject="s", strata=("sex=F",)), values={"scanner": "X"})
    assert subjects_of([record])[0].strata == ("scanner=X", "sex=F")


def test_components_are_sorted_and_know_their_kind():
    parts = Components()
    for a, b in [("n z", "l 1"), ("n b", "l 1"), ("n a", "l 2")]:
        parts.join(a, b)
    assert parts.of("n ") == [["a"], ["b", "z"]]
