import csv
import io

import pytest

from isocenter.exports import tables
from isocenter.exports.selected import select
from tests.contracts import exported


@pytest.fixture
def selected(tmp_path):
    store = exported.plain(tmp_path / "store")
    return select(store, store.split(), review="exclude")


def rows(text):
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\tx", "\rx", "=cmd", "-x", "+x", "@", "==", "-"],
)
def test_no_text_becomes_a_formula(text):
    read = list(csv.reader(io.StringIO(tables.text_of(["a"], [[text]]), newline="")))
    assert read == [["a"], ["'" + text.replace("\r", " ")]]


def test_numbers_stay_numbers():
    assert tables.text_of(["a"], [[-1.5], ["-1.5"], ["+3e-4"]]) == "a\n-1.5\n-1.5\n+3e-4\n"


def test_cases_have_sizes_and_spacings_by_axis_and_their_states(selected):
    first = rows(tables.cases_table(selected))[0]
    case = selected.store[first["id"]]
    assert [int(first[f"size_{a}"]) for a in "kji"] == list(case.grid.shape)
    assert [float(first[f"spacing_{a}_mm"]) for a in "kji"] == pytest.approx((2.5, 0.8, 0.9))
    assert (first["label:tumour"], first["label:node"]) == ("positive", "positive")
    assert (first["attribute:age"], first["attribute:sex"]) == ("61", "")


def test_boxes_points_opinions_and_slices_are_those_of_the_store(selected):
    box = rows(tables.boxes_table(selected))[0]
    case = selected.store["case-0000"]
    assert [float(box[n]) for n in list(box)[3:]] == case.boxes[0].tolist()
    assert (box["case"], box["label"], box["rater"]) == ("subject-0_case-0000", "tumour", "")
    point = rows(tables.points_table(selected))[0]
    assert [point[n] for n in ("rater", "label", "x_mm", "diameter_mm")] == ["a", "node", "1.0", "0.0"]
    opinion = rows(tables.opinions_table(selected))[0]
    assert (opinion["rater"], opinion["state"]) == ("b/Å", "marked")
    slices = rows(tables.slices_table(case))
    assert [(s["k"], s["instance"], s["is_synthetic"]) for s in slices[2:4]] == [
        ("2", "instance-2", "0"),
        ("3", "instance-3", "1"),
    ]
    assert len(rows(tables.states_table(selected))) == 12
    assert rows(tables.labels_table(selected)) == [
        {"label": "tumour", "value": "1", "code": ""},
        {"label": "node", "value": "2", "code": ""},
    ]
