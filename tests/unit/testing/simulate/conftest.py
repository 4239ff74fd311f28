"""One small simulated archive for all tests of the simulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from isocenter.testing.simulate import Truth, simulate

Archive = tuple[Path, Truth]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("simulated") / "archive"
    return folder, simulate(folder, patients=22, matrix=48, slices=12)
