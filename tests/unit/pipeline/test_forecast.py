"""What is told of disk space before anything is built."""

import shutil
from types import SimpleNamespace

import pytest

from isocenter.pipeline.forecast import Forecast, size_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (18_559_795, "17.7 MiB"),
        (5 << 40, "5120.0 GiB"),
    ],
)
def test_sizes_are_read_easily(count: int, text: str):
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("need", "free", "lines", "is_hopeless"),
    [(100, 100, 1, False), (101, 100, 2, False), (1000, 100, 2, False), (1001, 100, 2, True)],
)
def test_a_full_disk_is_told_and_a_hopeless_one_closes_the_gate(need, free, lines, is_hopeless):
    forecast = Forecast(3, need, free)
    assert (len(forecast.lines()), forecast.is_hopeless) == (lines, is_hopeless)


def test_free_space_is_that_of_the_workspace(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(shutil, "disk_usage", lambda p: asked.append(p) or SimpleNamespace(free=7))
    from isocenter.pipeline import forecast

    monkeypatch.setattr(forecast.tables, "read", lambda *_: iter(()))
    context = SimpleNamespace(workspace=SimpleNamespace(root=tmp_path, table=lambda *_: tmp_path))
    assert forecast.forecast_of(context) == Forecast(0, 0, 7)
    assert asked == [tmp_path]
