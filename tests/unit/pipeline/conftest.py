"""A folder with two sources and a table, and a valid cohort over them, to be bent by each test."""

from pathlib import Path

import pytest

from isocenter.base.documents import write_yaml
from isocenter.base.errors import ConfigError
from isocenter.pipeline.config import load


class Cohort:
    """A valid config; `problems` tells what is wrong after some of its text was replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "cohort.yaml"
        for name in ("north", "south"):
            (folder / name).mkdir()
        (folder / "labels.csv").write_text("patient,finding,x,y,z,diameter_mm\np1,mass,1,2,3,4\n")
        (folder / "people.tsv").write_text("id\tsubject\na\tb\n")
        (folder / "labels.txt").write_text("1 tumour\n")
        (folder / "broken.txt").write_text("tumour\n")
        self.data = {
            "task": "segmentation",
            "sources": [{"path": "north"}, {"path": "south", "site": "south"}],
            "channels": {"ct": {"modality": "CT"}},
            "labels": {"tumour": {"aliases": ["GTV*"]}, "node": None},
            "annotations": [{"kind": "objects"}],
        }

    def write(self, **changes):
        write_yaml(self.path, {**self.data, **changes})
        return self.path

    def load(self, *, overrides=None, environment=None, **changes):
        return load(self.write(**changes), overrides=overrides or {}, environment=environment or {})

    def problems(self, *, overrides=None, environment=None, **changes):
        with pytest.raises(ConfigError) as caught:
            self.load(overrides=overrides, environment=environment, **changes)
        assert caught.value.exit_code == 2
        return caught.value.problems

    def problem(self, **changes):
        [found] = self.problems(**changes)
        return found


@pytest.fixture
def cohort(tmp_path):
    return Cohort(tmp_path)
