"""Notes say what is true of the rows."""

from isocenter.model.split import Split, SplitRow
from isocenter.stages.split.notes import notes_on


def made(*rows):
    return Split(strategy="x", seed=0, fractions={"train": 0.5, "test": 0.5}, rows=rows)


A = SplitRow(subject="a", partition="train", site="p", labels=("tumour",))
B = SplitRow(subject="b", partition="test", site="q", is_external=True)


def test_the_certificate_counts_the_rows():
    first = notes_on(made(A, B))[0]
    assert first.startswith(
        "no subject in two partitions: 2 subjects, train 1 (50.0 %, asked 50 %), test 1 (50.0 %, asked 50 %); "
        "none of 2 groups divided; digest "
    )
    assert first != notes_on(made(A, SplitRow(subject="c", partition="test", site="q")))[0]


def test_a_certificate_is_not_given_where_it_does_not_hold():
    first = notes_on(made(A, B, SplitRow(subject="a", partition="test", group="a")))[0]
    assert first.startswith("1 subject in two partitions: 3 subjects")
    assert "1 of 2 groups divided" in first


def test_the_external_share_and_the_prevalences_are_told():
    notes = notes_on(made(A, B))
    assert (
        notes[1] == "1 of 1 test subjects (100.0 %) come from centres without a subject in train or val: q 1"
    )
    assert notes[2] == (
        "prevalence of tumour: train 100.0 % (1 of 1, 95 % interval 20.7 to 100.0 %), "
        "test 0.0 % (0 of 1, 95 % interval 0.0 to 79.3 %)"
    )
    assert "50.0 points (tumour in t" in notes[3]


def test_subjects_that_are_absent_are_told_apart():
    absent = SplitRow(subject="z", partition="train", is_present=False)
    notes = notes_on(made(A, B, absent))
    assert "2 subjects, train 1" in notes[0]
    assert notes[-1].endswith("keep their place: 1")


def test_an_empty_split_is_told():
    assert "0 subjects" in notes_on(made())[0]
