"""What all tests share: the real data, and the proofs that are run only when they are asked for."""

import os
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proof", metavar="ISSUE", help="run the tests marked proof(ISSUE), and nothing else")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--proof")
    kept = [item for item in items if _issue(item) == wanted]
    left_out = [item for item in items if _issue(item) != wanted]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def _issue(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("proof")
    return str(marker.args[0]) if marker else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests are skipped where none is named, and fail where the one named is gone."""
    name = os.environ.get("ISOCENTER_REAL_DATA")
    if not name:
        pytest.skip("ISOCENTER_REAL_DATA names no folder of real data")
    if not Path(name).is_dir():
        pytest.fail(f"ISOCENTER_REAL_DATA names a folder that does not exist: {name}")
    return Path(name)
