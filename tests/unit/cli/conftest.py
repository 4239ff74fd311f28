"""Runs command lines in this process: exit code, stdout and stderr."""

import json
from dataclasses import dataclass

import pytest

from isocenter.cli.main import main


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    """Run a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(w) for w in words])
        return Said(caught.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def cohort(tmp_path):
    """A valid config over an empty folder."""
    (tmp_path / "archive").mkdir()
    path = tmp_path / "cohort.yaml"
    path.write_text(
        "task: segmentation\nsources: [{path: archive}]\nchannels: {ct: {modality: CT}}\n"
        "labels: {tumour: }\nannotations: [{kind: objects}]\n"
    )
    return path
