"""The canary: random labels are told by slices of the same person, and by nothing else."""

import numpy as np
import pytest

from isocenter.base.seeds import stream
from isocenter.stages.audit.canary import sing
from isocenter.stages.audit.canary_slices import slices_of
from tests.unit.stages.audit.simulated import patient


@pytest.fixture(scope="module")
def simulated():
    """Eighty simulated patients, twelve slices each."""
    found = [(f"p{n:02}", s) for n in range(80) for s in slices_of(patient(n), 12)]
    return np.stack([s for _, s in found]), [p for p, _ in found]


def test_slices_of_simulated_patients_give_random_labels_away_and_subjects_do_not(simulated):
    found = sing(*simulated, seeds=20)
    assert (found.subjects, found.slices, len(found.by_slice.each)) == (80, 960, 20)
    assert found.by_slice.mean > 0.97
    assert abs(found.by_subject.mean - 0.5) <= 0.04
    assert "what is above it is leakage" in found.summary


def test_every_split_by_slice_is_told_apart(simulated):
    """In each of the seeds, not on average alone: the warning never fails."""
    found = sing(*simulated, seeds=20)
    assert all(s > 0.95 and s > o for s, o in zip(found.by_slice.each, found.by_subject.each, strict=True))


def test_the_same_seeds_give_the_same_scores(simulated):
    assert sing(*simulated, seeds=3) == sing(*simulated, seeds=3)


def test_slices_that_have_nothing_in_common_leak_nothing():
    vectors = stream(0, "noise").normal(size=(600, 64)).astype(np.float32)
    found = sing(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), [n // 10 for n in range(600)])
    assert abs(found.by_slice.mean - 0.5) < 0.06
    assert abs(found.by_subject.mean - 0.5) < 0.06


@pytest.mark.parametrize(("subjects", "each"), [(9, 5), (12, 1)])
def test_too_few_subjects_or_slices_say_nothing(subjects, each):
    vectors = np.eye(subjects * each, dtype=np.float32)
    assert sing(vectors, [f"p{n // each}" for n in range(subjects * each)]) is None


def test_slices_are_those_of_the_middle_in_order():
    volume = np.arange(9)[:, None, None] * np.ones((1, 40, 30)) + np.linspace(0, 1, 30)
    found = slices_of(volume, 3)
    assert len(found) == 3
    assert all(s.dtype == np.float32 and abs(np.linalg.norm(s) - 1) < 1e-5 for s in found)
    assert len(slices_of(volume, 50)) == 9


def test_planes_without_contrast_and_numbers_are_passed_over():
    assert slices_of(np.full((4, 8, 8), 7), 4) == ()
    assert slices_of(np.full((2, 8, 8), np.nan), 2) == ()
    assert slices_of(np.ones((3, 8, 8)), 0) == ()
    assert len(slices_of(stream(0, "s").normal(size=(3, 5, 7)), 3)) == 3


def test_of_a_great_many_subjects_some_are_drawn_and_that_is_told():
    vectors = stream(0, "noise").normal(size=(800 * 30, 8)).astype(np.float32)
    found = sing(vectors, [f"p{n // 30:03}" for n in range(len(vectors))], seeds=2)
    assert (found.subjects, found.slices, found.of_subjects, found.of_slices) == (300, 6000, 800, 24000)
    assert "6000 slices of 300 subjects (drawn from 24000 of 800)" in found.summary
