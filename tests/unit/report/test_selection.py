from isocenter.model.rows import CaseRow
from isocenter.report.selection import chosen_cases


def case(n: int, site: str = "a", verdict: str = "keep") -> CaseRow:
    return CaseRow(
        id=f"case-{n}", subject=f"s{n}", site=site, timepoint="t", shard=0, digest="", verdict=verdict,
        channels=(), shape=(), spacing_mm=(), labels=(), raters=(), attributes=(), statistics=(), pixel_digest="",
    )  # fmt: skip


CASES = [case(n, "abc"[n % 3] if n < 9 else "a", "review" if n in {4, 20} else "keep") for n in range(40)]


def test_cases_on_review_come_first():
    assert {c.id for c in chosen_cases(CASES, 5)[:2]} == {"case-4", "case-20"}


def test_every_site_has_its_turn():
    assert {c.site for c in chosen_cases(CASES, 5)[2:]} == {"a", "b", "c"}


def test_the_choice_does_not_depend_on_the_order():
    assert chosen_cases(CASES, 12) == chosen_cases(CASES[::-1], 12)


def test_all_are_chosen_once_where_there_is_room():
    chosen = chosen_cases(CASES, 100)
    assert sorted(c.id for c in chosen) == sorted(c.id for c in CASES)
    assert chosen_cases([], 5) == ()
