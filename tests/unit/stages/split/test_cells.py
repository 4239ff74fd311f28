"""Cells: units that are alike are counted, not told apart."""

import numpy as np

from isocenter.model.split import SplitRow
from isocenter.stages.split.cells import problem_of
from isocenter.stages.split.units import Unit


def unit(name, *labels, partition=""):
    rows = tuple(SplitRow(subject=f"{name}{n}", labels=found) for n, found in enumerate(labels))
    return Unit(name=name, rows=rows, partition=partition)


def test_units_alike_share_a_cell_and_kept_ones_are_the_base():
    free = [unit("p", ("a",)), unit("q", ()), unit("r", ("a",)), unit("s", ("a",), ("a", "b"))]
    kept = unit("t", ("b",), partition="test")
    problem = problem_of([*free, kept], free, {"train": 0.5, "test": 0.5}, {"test": 4})
    # Columns: subjects, label a, label b.
    assert problem.values.tolist() == [[1, 0, 0], [1, 1, 0], [2, 2, 1]]
    assert problem.supply.tolist() == [1, 2, 1]
    assert problem.members == [[1], [0, 2], [3]]
    assert problem.base.tolist() == [[0, 0, 0], [1, 0, 1]]
    assert problem.target.tolist() == [[3, 2, 1], [3, 2, 1]]
    assert problem.most.tolist() == [np.inf, 4]
    assert problem.largest == 2


def test_totals_and_loss_are_those_of_the_counts():
    free = [unit("p", ("a",)), unit("q", ())]
    problem = problem_of(free, free, {"train": 0.5, "test": 0.5}, {})
    even = np.array([[1, 0], [0, 1]])
    assert problem.totals(even).tolist() == [[1, 0], [1, 1]]
    assert problem.loss(even) == 1.0  # the label: (0 - 0.5)^2 / 0.5 + (1 - 0.5)^2 / 0.5
    assert problem.loss(np.array([[1, 0], [1, 0]])) > 10
