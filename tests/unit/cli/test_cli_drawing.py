"""Progress is drawn on stderr: bars on a terminal, else a line now and then."""

import io

import pytest
from rich.console import Console

from isocenter.base.progress import Step, follow
from isocenter.cli import drawing


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Step("index", 0, None, "files", 0.0), "0 files"),
        (Step("index", 1200, 4000, "files", 4.0), "1,200 of 4,000 files, 300/s, 9.3 s to go"),
        (Step("index", 4000, 4000, "files", 4.0), "4,000 of 4,000 files, 1,000/s"),
        (Step("build", 1, 100, "cases", 2.0), "1 of 100 cases, 0.5/s, 3 min 18 s to go"),
        (Step("build", 7, None, "cases", 2.0), "7 cases, 3.5/s"),
    ],
)
def test_a_step_is_told_with_rate_and_time_to_go(step, text):
    assert drawing.told(step) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (9.4, "9.4 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])  # fmt: skip
def test_a_time_span_is_told_as_people_say_it(seconds, text):
    assert drawing.duration(seconds) == text


def test_without_a_terminal_there_are_lines_not_bars(capsys):
    with drawing.drawn() as progress:
        list(follow(range(50), progress, stage="index", total=50, unit="files"))
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    assert line.startswith("index: 50 of 50 files")
    assert "\x1b" not in err


def test_lines_come_every_few_seconds_only(monkeypatch):
    clock = iter([0.0, 1.0, 6.0, 7.0, 12.0])
    monkeypatch.setattr(drawing.time, "monotonic", lambda: next(clock))
    out = io.StringIO()
    lines = drawing._Lines(Console(file=out))
    for done in range(1, 5):
        lines(Step("index", done, 9, "files", 1.0))
    assert [line[:8] for line in out.getvalue().splitlines()] == ["index: 2", "index: 4"]


def test_on_a_terminal_there_is_a_bar_per_stage(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(
        drawing, "Console", lambda **_: Console(file=out, force_terminal=True, width=100, _environ={})
    )
    with drawing.drawn() as progress:
        progress(Step("index", 5, 10, "files", 1.0))
        progress(Step("build", 1, None, "cases", 1.0))
        progress(Step("index", 10, 10, "files", 2.0))
    assert "index" in out.getvalue()
    assert "10 of 10 files" in out.getvalue()
