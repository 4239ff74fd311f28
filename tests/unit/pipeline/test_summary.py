"""The closing sentences: sums that add up, sizes that can be read."""

from isocenter.pipeline.summary import _files, _top


def test_reasons_beyond_the_fifth_are_summed():
    assert _top({f"r{n}": 10 - n for n in range(7)}) == " (r0 10, r1 9, r2 8, r3 7, r4 6, others 9)"
    assert _top({}) == ""


def test_files_are_a_sum():
    counts = {"files": 6, "used": 3, "held": 0, "excluded": 2, "ignored": 1}
    states = {"used": {"image": 3}, "held": {}, "excluded": {"file/empty": 2}, "ignored": {"text": 1}}
    text = _files(counts, states)
    assert text == "6 files = 3 used + 0 held + 2 excluded (file/empty 2) + 1 ignored (text 1)"
