"""What every command promises: help on itself and on every flag, one JSON document, and exit code 2 when asked wrongly."""

import json

import pytest
import typer

from isocenter.cli.folder import COMMANDS, every_command
from isocenter.cli.main import main

WORDS = sorted(every_command())


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        with pytest.raises(SystemExit) as caught:
            main(words)
        return caught.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("name", COMMANDS.names())
def test_a_command_is_a_typer_app_in_a_file_headed_by_what_it_does(name):
    app = COMMANDS.get(name)
    assert isinstance(app, typer.Typer)
    summary = COMMANDS.summary(name)
    assert summary.endswith(".")
    assert len(summary) <= 100


@pytest.mark.parametrize("words", WORDS)
def test_a_command_and_each_of_its_flags_say_what_they_are_for(say, words):
    code, out, err = say(*words.split(), "--help")
    assert (code, err) == (0, "")
    command = every_command()[words]
    assert command.help.split("\n")[0].endswith(".")
    assert [p.name for p in command.params if not p.help and p.name != "help"] == []
    for parameter in command.params:
        assert any(word in out for word in parameter.opts)


@pytest.mark.parametrize("words", WORDS)
def test_a_command_has_json(words):
    assert "--json" in {word for p in every_command()[words].params for word in p.opts}


@pytest.mark.parametrize("words", WORDS)
def test_a_command_that_is_asked_wrongly_exits_with_2_and_prints_nothing_on_stdout(say, words):
    code, out, err = say(*words.split(), "--no-such-flag")
    assert (code, out) == (2, "")
    assert "--no-such-flag" in err


@pytest.mark.parametrize("words", WORDS)
def test_with_json_a_command_that_is_asked_wrongly_says_so_in_one_document(say, words):
    code, out, err = say(*words.split(), "--no-such-flag", "--json")
    assert code == 2
    document = json.loads(out)
    assert document["error"]["kind"] == "UsageError"
    assert "--no-such-flag" in document["error"]["message"]
    assert "--no-such-flag" in err
