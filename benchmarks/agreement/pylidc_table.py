"""What pylidc makes of the readers of some scans; it runs in pylidc's own environment, with an old numpy.

Usage, by the interpreter of pylidc: python -m benchmarks.agreement.pylidc_table SCAN [SCAN ...]
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib import import_module
from typing import Any


def main() -> None:
    """Print a row for each nodule: its scan, its annotations, Dice of every pair, and the consensus at one half."""
    warnings.simplefilter("ignore")
    pylidc: Any = import_module("pylidc")
    utils: Any = import_module("pylidc.utils")
    rows = []
    for number in map(int, sys.argv[1:]):
        scan = pylidc.query(pylidc.Scan).filter(pylidc.Scan.id == number).one()
        nodules = scan.cluster_annotations(verbose=False)
        rows += [row_of(number, sorted(nodule, key=lambda a: a.id), utils) for nodule in nodules]
    json.dump(rows, sys.stdout)


def row_of(scan: int, nodule: Any, utils: Any) -> dict[str, Any]:
    """One nodule; a failure of pylidc is told instead."""
    row: dict[str, Any] = {"scan": scan, "annotations": [a.id for a in nodule]}
    try:
        fused, box, masks = utils.consensus(nodule, clevel=0.5)
    except Exception as error:  # noqa: BLE001 - whatever pylidc cannot handle
        return {**row, "failed": type(error).__name__}
    start = [int(side.start) for side in box]
    places = [[int(n) + s for n, s in zip(place, start)] for place in zip(*fused.nonzero())]  # noqa: B905
    pairs = [(a, b) for a in range(len(masks)) for b in range(a + 1, len(masks))]
    return {
        **row,
        "voxels": [int(mask.sum()) for mask in masks],
        "dice": [
            2.0 * int((masks[a] & masks[b]).sum()) / max(int(masks[a].sum() + masks[b].sum()), 1)
            for a, b in pairs
        ],
        "consensus": sorted(places),
    }


if __name__ == "__main__":
    main()
