"""Every flipped bit and every file cut off is found by `isocenter verify`, read as an error or as what was packed.

A few by default; ISOCENTER_FLIPS and ISOCENTER_CUTS name other numbers.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from isocenter.stores.shard import BACKENDS

FLIPS = os.environ.get("ISOCENTER_FLIPS", "60")
CUTS = os.environ.get("ISOCENTER_CUTS", "20")


@pytest.mark.parametrize("backend", BACKENDS.names())
def test_damage_is_found_and_never_read_as_voxels(backend, tmp_path, record_property):
    command = [sys.executable, "-m", "tests.faults.damage", backend, str(tmp_path), FLIPS, CUTS]
    places = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": places}
    )
    assert done.returncode == 0, done.stderr[-4000:]  # a negative number is a signal
    told = json.loads(done.stdout)
    assert told["wrong"] == []
    assert told["found"]["reads refused"] > 0
    assert told["found"]["stores refused"] > 0
    record_property("bits flipped and files cut off, all found", str(int(FLIPS) + int(CUTS)))
