"""Radiologists' nodules: pairwise Dice and consensus of 60 scans equal pylidc 0.2.3's, nodule by nodule.

`pylidc_nodules.csv` holds what pylidc said; `python -m benchmarks.agreement.readers` asks it again.
"""

import csv
import json
import zlib
from pathlib import Path

import pytest

from benchmarks.agreement.readers import TABLES, nodule_of, read

SAID = Path(__file__).with_name("pylidc_nodules.csv")


@pytest.mark.real
def test_every_nodule_equals_that_of_pylidc(real_data: Path) -> None:
    scans, outlines = read(real_data / TABLES)
    with SAID.open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (len(scans), len(rows)) == (60, 219)
    for row in rows:
        found = nodule_of({int(n): outlines[int(n)] for n in row["annotations"].split()})
        consensus = found["consensus"]
        assert found["voxels"] == [int(n) for n in row["voxels"].split()], row
        assert found["dice"] == pytest.approx([float(d) for d in row["dice"].split()], abs=1e-9), row
        assert len(consensus) == int(row["consensus_voxels"]), row
        text = json.dumps(consensus, separators=(",", ":")).encode()
        assert zlib.crc32(text) == int(row["consensus_crc32"]), row
