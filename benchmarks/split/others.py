"""The peers' splits of cohorts read from a file, with their CPU time; run by the interpreter of the peers.

Usage: python -m benchmarks.split.others PEER FILE
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any


def main() -> None:
    """Split every cohort and print folds and seconds."""
    way = {"scikit-learn": grouped, "iterative-stratification": several}[sys.argv[1]]
    for cohort in json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")):
        folds = [0] * len(cohort["labels"])
        start = time.process_time()
        for number, (_, test) in enumerate(way(cohort)):
            for n in test:
                folds[n] = number
        print(json.dumps({"folds": folds, "seconds": time.process_time() - start, "proof": ""}))


def grouped(cohort: dict[str, Any]) -> Any:
    """scikit-learn: one class for each, groups kept together."""
    np: Any = import_module("numpy")
    selection: Any = import_module("sklearn.model_selection")
    classes = np.array([labels[0] for labels in cohort["labels"]])
    maker = selection.StratifiedGroupKFold(n_splits=cohort["folds"], shuffle=True, random_state=0)
    return maker.split(classes, classes, np.array(cohort["groups"]))


def several(cohort: dict[str, Any]) -> Any:
    """iterative-stratification: several labels for each, no groups."""
    np: Any = import_module("numpy")
    selection: Any = import_module("iterstrat.ml_stratifiers")
    table = np.zeros((len(cohort["labels"]), cohort["n_labels"]), int)
    for n, labels in enumerate(cohort["labels"]):
        table[n, labels] = 1
    maker = selection.MultilabelStratifiedKFold(n_splits=cohort["folds"], shuffle=True, random_state=0)
    return maker.split(table, table)


if __name__ == "__main__":
    main()
