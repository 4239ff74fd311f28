"""Notes say what is true of the rows."""

from isocenter.model.certificate import Optimum
from isocenter.model.split import Split, SplitRow
from isocenter.stages.split import notes
from isocenter.stages.split.certificate import certify


def notes_on(split, optimum=None):
    return notes.notes_on(split, certify(split.rows, split.fractions, optimum=optimum))


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
    told = notes_on(made(A, B))
    assert (
        told[1] == "1 of 1 test subjects (100.0 %) come from centres without a subject in train or val: q 1"
    )
    assert told[2] == (
        "prevalence of tumour: train 100.0 % (1 of 1, 95 % interval 20.7 to 100.0 %), "
        "test 0.0 % (0 of 1, 95 % interval 0.0 to 79.3 %)"
    )
    assert "50.0 points (tumour in t" in told[3]


def test_subjects_that_are_absent_are_told_apart():
    absent = SplitRow(subject="z", partition="train", is_present=False)
    told = notes_on(made(A, B, absent))
    assert "2 subjects, train 1" in told[0]
    assert told[-1].endswith("keep their place: 1")


def test_how_near_the_best_it_comes_is_told():
    said = [
        notes_on(made(A, B), Optimum(distance=3.0, bound=bound, proof=proof, nodes=7))[1]
        for bound, proof in ((3.0, "integers"), (3.0, "exact"), (2.5, "bound"))
    ]
    assert "whole people allow no smaller distance than 3" in said[0]
    assert "all others were ruled out (7 nodes), distance 3" in said[1]
    assert said[2].endswith("none can be below 2.5, so at most 0.5 could be gained")


def test_an_empty_split_is_told():
    assert "0 subjects" in notes_on(made())[0]


def test_what_a_proof_does_not_cover_is_told():
    for proof in ("integers", "exact", "bound"):
        optimum = Optimum(distance=3.0, bound=2.0, proof=proof, given="of the outer folds")
        assert notes_on(made(A, B), optimum)[1].endswith("; this holds of the outer folds")
