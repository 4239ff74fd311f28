"""The account of real files: every entry that the system lists is in exactly one state."""

import os
from pathlib import Path

import pytest

import isocenter as iso

pytestmark = pytest.mark.real


def test_the_account_equals_what_is_on_the_disk(real_data):
    paths = [Path(top, name) for top, _, names in os.walk(real_data) for name in names]
    found = iso.index(real_data)
    told = found.inventory
    assert told.entries - told.archived == len(paths)
    assert told.size_bytes == sum(p.lstat().st_size for p in paths)
    assert sum(s.entries for s in told.states) == told.entries
    states = {s.state: s.entries for s in told.states}
    refused = {i.target for i in found.issues if i.rule.startswith("file/")}
    assert states["refused"] >= len(refused) > 10
    assert states["image"] > 2000
    assert told.sop_classes.total == told.modalities.total == told.objects
    assert all(t.name for t in told.kinds.largest)
