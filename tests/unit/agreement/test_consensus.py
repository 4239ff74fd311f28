import numpy as np
import pytest

from isocenter.agreement.consensus import fuse
from isocenter.base.errors import ConfigError, UnknownPlugin
from isocenter.model.grid import Grid

GRID = Grid((1, 1, 4), np.eye(4))


def row(text: str) -> np.ndarray:
    return np.array([[[c == "x" for c in text]]])


def text(mask: np.ndarray) -> str:
    return "".join("x" if v else "." for v in mask.ravel())


@pytest.mark.parametrize(
    ("method", "tie", "expected"),
    [
        ("majority", "background", "xx.."),
        ("union", "background", "xxx."),
        ("intersection", "background", "x..."),
    ],
)
def test_three_raters(method: str, tie: str, expected: str) -> None:
    raters = {"a": row("xxx."), "b": row("xx.."), "c": row("x...")}
    found = fuse({"liver": raters}, grid=GRID, method=method, tie=tie)
    assert text(found.masks["liver"]) == expected
    assert found.method == method
    assert len(found.agreements) == 3


def test_the_tie_rule_decides_an_even_vote() -> None:
    raters = {"a": row("xx.."), "b": row("x.x.")}
    assert text(fuse({"l": raters}, grid=GRID).masks["l"]) == "x..."
    assert text(fuse({"l": raters}, grid=GRID, tie="foreground").masks["l"]) == "xxx."


def test_who_did_not_annotate_has_no_vote_and_who_found_nothing_has() -> None:
    marked = {"a": row("xx.."), "b": row("xx..")}
    unasked = fuse({"l": {**marked, "c": None, "d": None, "e": None}}, grid=GRID)
    assert text(unasked.masks["l"]) == "xx.."
    assert [a.raters for a in unasked.agreements] == [("a", "b")]
    absent = fuse({"l": {**marked, "c": row("...."), "d": row("....")}}, grid=GRID)
    assert text(absent.masks["l"]) == "...."


def test_a_label_that_nobody_annotated_has_no_mask() -> None:
    found = fuse({"b": {"a": None}, "a": {"a": row("x...")}, "c": {}}, grid=GRID)
    assert list(found.masks) == ["a"]
    assert found.agreements == ()


def test_one_rater_is_the_consensus_and_is_left_alone() -> None:
    mine = row("x.x.")
    found = fuse({"l": {"a": mine}}, grid=GRID)
    found.masks["l"][:] = True
    assert text(mine) == "x.x."


def test_soft_mean_keeps_the_shares_beside_the_mask() -> None:
    raters = {"a": row("xxx."), "b": row("xx.."), "c": row("x..."), "d": None}
    found = fuse({"l": raters}, grid=GRID, method="soft-mean")
    assert text(found.masks["l"]) == "xx.."
    assert found.shares["l"].ravel().tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert found.performances == ()


def test_a_single_rater_decides_and_all_are_compared() -> None:
    raters = {"l": {"a": row("xxx."), "b": row("xx..")}, "m": {"a": row("x..."), "b": None}}
    found = fuse(raters, grid=GRID, method="single", rater="b")
    assert {label: text(mask) for label, mask in found.masks.items()} == {"l": "xx.."}
    assert [a.dice for a in found.agreements] == [0.8]


def test_staple_tells_how_good_each_rater_is() -> None:
    raters = {"a": row("xx.."), "b": row("xx.."), "c": row("x..x")}
    found = fuse({"l": raters}, grid=GRID, method="staple")
    assert text(found.masks["l"]) == "xx.."
    assert [(p.label, p.rater) for p in found.performances] == [("l", "a"), ("l", "b"), ("l", "c")]
    assert [p.sensitivity for p in found.performances] == pytest.approx([1, 1, 0.5], abs=1e-6)
    assert found.issues == ()


def test_surfaces_are_measured_where_asked() -> None:
    raters = {"a": row("xx.."), "b": row(".xx.")}
    (plain,) = fuse({"l": raters}, grid=GRID).agreements
    (asked,) = fuse({"l": raters}, grid=GRID, surface_mm=1.0).agreements
    assert (plain.surface_dice, plain.hd95_mm) == (None, None)
    assert (asked.surface_dice, asked.hd95_mm) == (1.0, 1.0)
    assert asked.iou == pytest.approx(1 / 3)


def test_wrong_questions() -> None:
    with pytest.raises(ConfigError):
        fuse({}, grid=GRID, tie="heads")
    with pytest.raises(UnknownPlugin, match="majority"):
        fuse({}, grid=GRID, method="majorty")
    with pytest.raises(ValueError, match="is not"):
        fuse({"l": {"a": np.zeros((1, 1, 5), bool)}}, grid=GRID)
