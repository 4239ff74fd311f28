"""A build that is killed, or that the disk fails, leaves no store that is not sound; run again, it ends as if never so.

A few steps and moments by default. ISOCENTER_FAULT_SHARE names the share of the steps of the commit protocol that are
tried, each with a kill, a failing call and a full disk; ISOCENTER_KILLS how many moments are.
"""

import json
import os

import pytest

from isocenter.stores.shard import BACKENDS
from tests.faults.interposed import run_interposed

SHARE = os.environ.get("ISOCENTER_FAULT_SHARE", "0.001")
MOMENTS = os.environ.get("ISOCENTER_KILLS", "1")


@pytest.mark.parametrize("backend", BACKENDS.names())
def test_a_build_ends_as_if_nothing_had_happened(backend, tmp_path, record_property):
    told = json.loads(
        run_interposed("tests.faults.runs", backend, str(tmp_path), SHARE, MOMENTS, folder=tmp_path)
    )
    assert told["wrong"] == []
    assert told["steps"] > 50
    assert {"kill: killed", "full: refused", "fail: refused"} <= told["ends"].keys()
    for end, count in told["ends"].items():
        record_property(f"builds ({end})", str(count))
