"""What all tests share: the real data."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples every time: a run tells what the change did, not what was drawn today. Other seeds are tried with
# HYPOTHESIS_PROFILE=search.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests are skipped where none is named, and fail where the one named is gone."""
    name = os.environ.get("ISOCENTER_REAL_DATA")
    if not name:
        pytest.skip("ISOCENTER_REAL_DATA names no folder of real data")
    if not Path(name).is_dir():
        pytest.fail(f"ISOCENTER_REAL_DATA names a folder that does not exist: {name}")
    return Path(name)
