"""What goes wrong becomes an exit code, a short text on stderr, and with --json one document on stdout."""

import errno

import pytest

from isocenter.base.errors import ConfigError, RejectedError, StaleArtefact, StoreNotFound, UnknownPlugin
from isocenter.cli import main as main_module
from isocenter.cli.console import clean
from isocenter.cli.crashes import crash_logged

SECRET = "Doe^Jane /data/patients/Jane 19700101"


@pytest.fixture
def failing(monkeypatch):
    """Makes the command line end in an error."""

    def fail(error):
        def app(*_words, **_options):
            raise error

        monkeypatch.setattr(main_module, "app", app)

    return fail


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("wrong"), 2),
        (UnknownPlugin("no such thing"), 2),
        (RejectedError("nothing was left"), 1),
        (StaleArtefact("run index first"), 1),
        (StoreNotFound("no store"), 1),
        (KeyboardInterrupt(), 130),
        (OSError(errno.ENOSPC, "No space left on device", SECRET), 1),
        (ValueError(SECRET), 3),
        (OSError(errno.EIO, SECRET), 3),
        (SystemExit(2), 2),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_every_kind_of_error_has_its_exit_code(say, failing, error, code, flags):
    failing(error)
    said = say("run", *flags)
    assert said.code == code
    assert SECRET not in said.err + said.out
    assert "Jane" not in said.err + said.out
    if flags and code != 130 and not isinstance(error, SystemExit):
        assert said.json["error"]["kind"] == type(error).__name__
    else:
        assert said.out == ""


def test_a_bug_says_where_it_struck_and_nothing_else(say, monkeypatch):
    def app(*_words, **_options):
        raise KeyError(SECRET)

    monkeypatch.setattr(main_module, "app", app)
    said = say("run")
    assert "KeyError in" in said.err
    assert "test_cli_main.app" in said.err
    assert "This is a bug" in said.err
    assert "/" not in said.err


def test_a_bug_is_logged_in_the_workspace_and_a_mistake_is_not(tmp_path):
    for error in (KeyError(SECRET), ConfigError("wrong")):
        with pytest.raises(type(error)), crash_logged(tmp_path):
            raise error
    [line] = (tmp_path / "log.jsonl").read_text().splitlines()
    assert '"event": "crash", "kind": "KeyError"' in line
    assert "Jane" not in line


def test_no_log_is_made_where_there_is_no_workspace(tmp_path):
    with pytest.raises(KeyError), crash_logged(tmp_path / "nope"):
        raise KeyError
    assert not (tmp_path / "nope").exists()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text\twith\nlines", "plain text\twith\nlines"),
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
        ("a\rb\x00c\x07", "a\ufffdb\ufffdc\ufffd"),
        ("\x9b2J", "\ufffd2J"),
        ("abc\u202edef\u2066", "abc\ufffddef\ufffd"),
        ("caf\u00e9 \u4e2d\u6587", "caf\u00e9 \u4e2d\u6587"),
        ("broken \udcff name", "broken ? name"),
    ],
)
def test_text_from_data_cannot_steer_the_terminal(text, shown):
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verfy", "--json"], "verfy"),
        (["--json"], "--json"),
        (["run", "--jobs", "0", "--json"], "--jobs"),
        (["run", "--jobs", "many", "--json"], "--jobs"),
        (["explain", "--json"], "Missing argument"),
        (["config", "--json"], "--json"),
        (["doctor", "--jsn\x1b[2J", "--json"], "--jsn"),
    ],
)
def test_a_usage_error_is_a_document_too(say, words, message):
    said = say(*words)
    assert said.code == 2
    assert said.json["error"]["kind"] == "UsageError"
    assert message in said.json["error"]["message"]
    assert "\x1b" not in said.out + said.err


def test_help_is_no_error_with_json(say):
    assert say("doctor", "--help", "--json").code == 0
