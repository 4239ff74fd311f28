"""The closing sentences: sums that add up, sizes that can be read."""

import ast

import pytest

from isocenter.loading.dataset import dataset
from isocenter.model.split import Split, SplitRow
from isocenter.pipeline.summary import _files, _top, train_line
from isocenter.stores.splits import write_split
from tests.contracts.packed import build, make_case


def test_reasons_beyond_the_fifth_are_summed():
    assert _top({f"r{n}": 10 - n for n in range(7)}) == " (r0 10, r1 9, r2 8, r3 7, r4 6, others 9)"
    assert _top({}) == ""


def test_files_are_a_sum():
    counts = {"files": 6, "used": 3, "held": 0, "excluded": 2, "ignored": 1}
    states = {"used": {"image": 3}, "held": {}, "excluded": {"file/empty": 2}, "ignored": {"text": 1}}
    text = _files(counts, states)
    assert text == "6 files = 3 used + 0 held + 2 excluded (file/empty 2) + 1 ignored (text 1)"


@pytest.mark.parametrize("name", ["default", "cv"])
@pytest.mark.parametrize("parts", [("train", "val", "test"), ("fold-0", "fold-1", "test")])
def test_the_line_that_makes_a_data_set_makes_one_when_it_is_pasted(tmp_path, name, parts):
    store = build(tmp_path / "store", [make_case(n) for n in range(6)])
    rows = tuple(SplitRow(subject=f"subject-{n}", partition=part) for n, part in enumerate(parts))
    write_split(store, name, Split(strategy="x", seed=0, fractions={}, rows=rows))
    call = ast.parse(train_line(str(tmp_path), store, name), mode="eval").body
    assert ast.unparse(call.func) == "isocenter.dataset"
    options = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
    data = dataset(*map(ast.literal_eval, call.args), **options, framework="numpy")
    assert set(data.samples.selection.subjects.tolist()) == {
        "subject-0" if parts[0] == "train" else "subject-1"
    }


def test_where_there_is_no_split_the_line_names_none(tmp_path):
    assert train_line("w", tmp_path, "default") == 'isocenter.dataset("w/store", "train", patch=(32, 64, 64))'
