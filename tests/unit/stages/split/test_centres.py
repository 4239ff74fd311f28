"""Which centres are held out, and what is said where none fits."""

import pytest

from isocenter.model.split import SplitRow
from isocenter.stages.split.centres import hold_out
from isocenter.stages.split.rows import gather
from isocenter.stages.split.units import units_of


def cohort(labels=lambda _site, _n: (), **sizes):
    return [
        SplitRow(subject=f"{site}-{n}", site=site, labels=labels(site, n))
        for site, size in sizes.items()
        for n in range(size)
    ]


def held(rows, share=0.2, test=0.2, seed=0):
    units = units_of(gather((r, ()) for r in rows))
    return hold_out(units, target=test * len(rows), share=share, test=test, seed=seed)


def test_the_smallest_set_that_gives_the_share_is_held_out():
    found = held(cohort(a=60, b=25, c=5, d=10))
    assert (found.centres, found.external, found.forced, found.notes) == (("c",), 5, 5, ())


def test_several_small_centres_do_it_together():
    found = held(cohort(a=90, b=1, c=2, d=3, e=4))
    assert found.external == 4
    assert not found.notes


def test_the_test_set_is_kept_from_outgrowing_its_external_part():
    assert held(cohort(a=96, b=4)).most == 20
    assert held(cohort(a=95, b=5)).most == 25
    assert held(cohort(a=97, b=3)).most is None  # the share is missed, so there is nothing to keep


def test_the_share_is_one_of_the_test_set_as_it_becomes_not_as_it_was_wished():
    """Each subject of b brings a family of 5 from a: 24 subjects, of whom 4 are external, less than 20 %."""
    rows = [SplitRow(subject=f"b-{n}", site="b", group=f"family-{n}") for n in range(4)]
    rows += [SplitRow(subject=f"a-{n}", site="a", group=f"family-{n // 5}") for n in range(20)]
    rows += [SplitRow(subject=f"a-{n}", site="a") for n in range(20, 96)]
    found = held(rows)
    assert (found.external, found.forced, found.most) == (4, 24, None)
    assert "1 short" in found.notes[0]


def test_too_large_centres_make_the_test_set_larger_and_it_is_said():
    found = held(cohort(a=40, b=30, c=30))
    assert found.centres in {("b",), ("c",)}
    (note,) = found.notes
    assert "20 subjects with 20%" in note
    assert f"{found.centres[0]} with 30" in note


def test_more_than_half_of_all_subjects_are_never_given_to_test():
    found = held(cohort(a=98, b=2))
    assert (found.centres, found.external) == (("b",), 2)
    assert "2 short" in found.notes[0]
    assert "a with 98 of 100 subjects" in found.notes[1]


def test_one_centre_is_never_held_out_from_itself():
    found = held(cohort(a=10))
    assert found.centres == ()
    assert found.notes


def test_a_centre_that_has_all_of_a_label_is_left_to_train_on():
    rows = cohort(lambda site, n: ("rare",) if site == "c" and n < 5 else (), a=50, b=10, c=10, d=10)
    assert {held(rows, seed=s).centres for s in range(10)} <= {("b",), ("d",)}


def test_the_lot_decides_among_equals():
    rows = cohort(a=10, b=10, c=10, d=10, e=10)
    assert len({held(rows, seed=s).centres for s in range(20)}) > 2


def test_centres_that_were_trained_on_cannot_be_held_out():
    rows = [
        SplitRow(subject=r.subject, site=r.site, partition="train" if r.subject in {"b-0", "c-0"} else "")
        for r in cohort(a=60, b=10, c=10)
    ]
    found = held(rows)
    assert found.centres == ()
    assert "already trained on by an earlier run: b, c" in found.notes


@pytest.mark.parametrize("more", [0, 12], ids=["few centres", "many centres"])
def test_a_centre_that_was_held_out_stays_so(more):
    rows = [
        SplitRow(subject=r.subject, site=r.site, partition="test", is_external=True)
        if r.subject == "b-0"
        else r
        for r in cohort(a=60, b=25, c=5, d=10, **{f"e{n}": 1 for n in range(more)})
    ]
    assert "b" in held(rows).centres


def test_a_family_across_centres_comes_along():
    rows = [
        SplitRow(subject=r.subject, site=r.site, group="family" if r.subject in {"a-0", "b-0"} else "")
        for r in cohort(a=30, b=5)
    ]
    found = held(rows)
    assert (found.centres, found.external, found.forced) == (("b",), 5, 6)


@pytest.mark.parametrize("sizes", [[3] * 14 + [200], list(range(1, 30)), [7, 11, 13, *[50] * 15]])
def test_many_centres_are_searched_by_their_sums(sizes):
    rows = cohort(**{f"site-{n:02}": size for n, size in enumerate(sizes)})
    found = held(rows)
    need = 0.2 * 0.2 * len(rows)
    assert found.external >= need
    assert found.external == min(t for t in sums(sizes) if t >= need)
    assert not found.notes


def test_subjects_of_no_known_centre_are_never_external():
    rows = [*cohort(a=40), *(SplitRow(subject=f"x{n}") for n in range(10))]
    assert held(rows).centres == ()


def test_where_no_centre_is_known_that_is_said():
    found = held([SplitRow(subject=f"x{n}") for n in range(10)])
    assert found.centres == ()
    assert found.notes[1].startswith("no subject has a known centre")
    assert not any("known centre" in n for n in held(cohort(a=98, b=2)).notes)


def sums(sizes):
    reached = {0}
    for size in sizes:
        reached |= {t + size for t in reached}
    return reached
