"""A case, and a small store on disk."""

from pathlib import Path

import pytest

from tests.contracts.packed import build, make_case


@pytest.fixture
def case():
    return make_case


@pytest.fixture
def store_root(tmp_path: Path) -> Path:
    return build(tmp_path / "store", [make_case(n) for n in range(5)])
