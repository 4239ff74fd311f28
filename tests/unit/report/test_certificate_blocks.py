"""The certificate on the page: what was proved, what stood in the way, every deviation."""

import json

import pytest

from isocenter.base.digests import canonical_json
from isocenter.model.certificate import Optimum
from isocenter.model.split import SplitRow
from isocenter.report.blocks import Fold, Part, Prose, Table
from isocenter.report.certificate import certificate_blocks
from isocenter.stages.split.certificate import certify

ROWS = [
    SplitRow(subject=f"s{n}", partition="train" if n < 6 else "test", labels=("mass",) * (n in (0, 6, 7)))
    for n in range(10)
]


def blocks(proof="exact", obstacles=()):
    optimum = (
        Optimum(distance=2.5, bound=2.25, proof=proof, nodes=11, given="with centres c1 held out")
        if proof
        else None
    )
    found = certify(ROWS, {"train": 0.6, "test": 0.4}, optimum=optimum, obstacles=obstacles)
    return certificate_blocks(json.loads(canonical_json(found)))


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        ("integers", "people cannot be divided any finer (distance 2.5)"),
        ("exact", "ruled out by branch and bound (distance 2.5, 11 nodes)"),
        ("bound", "no split can be below 2.25"),
        ("", "there is no best to compare them with"),
    ],
)
def test_what_was_proved_is_told(proof, said):
    first = blocks(proof)[0]
    assert isinstance(first, Prose)
    assert said in first.text
    assert ("This holds with centres c1 held out." in first.text) is bool(proof)


def test_every_deviation_is_a_row_and_every_obstacle_an_item():
    fold = next(b for b in blocks() if isinstance(b, Fold))
    (table,) = fold.blocks
    assert isinstance(table, Table)
    assert table.rows[2][:6] == ("mass", "train", "1", "1.8", "0.8", "0.2")
    assert not [b for b in blocks() if isinstance(b, Part)]
    assert [b.title for b in blocks(obstacles=("site C is too large",)) if isinstance(b, Part)]


def test_without_a_certificate_there_is_nothing():
    assert certificate_blocks(None) == ()
