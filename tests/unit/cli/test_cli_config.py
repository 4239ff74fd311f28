"""`config init`, `check`, `show` and `schema`."""

import json

from isocenter.base.documents import parse_yaml
from isocenter.pipeline.config import load
from tests.unit.pipeline import archives


def test_check_says_ok_in_a_few_words(say, cohort):
    said = say("config", "check")
    assert said.code == 0
    assert said.out.splitlines()[0] == "cohort.yaml: ok"
    assert say("config", "check", "--json").json["ok"] is True


def test_check_tells_every_problem_on_both_channels(say, cohort):
    cohort.write_text(cohort.read_text().replace("CT", "PET").replace("tumour", "3") + "sed: 1\n")
    said = say("config", "check", "--json")
    assert said.code == 2
    problems = said.json["error"]["problems"]
    assert [p["path"] for p in problems] == ["channels.ct.modality", "sed"]
    assert problems[1] == {
        "path": "sed",
        "message": "is not a key of a cohort",
        "line": 6,
        "hint": "did you mean 'seed'?",
    }
    assert "line 6: sed: is not a key of a cohort (did you mean 'seed'?)" in said.err


def test_check_takes_flags(say, cohort):
    assert say("config", "check", "--set", "seed=-1").code == 2


def test_show_prints_a_config_that_can_be_loaded_again(say, cohort):
    said = say("config", "show", "--set", "seed=5")
    assert parse_yaml(said.out).data["seed"] == 5
    assert parse_yaml(said.out).data["sources"][0]["layout"] == "files"
    assert say("config", "show", "--set", "seed=5", "--json").json == parse_yaml(said.out).data


def test_schema_is_printed_or_written(say, tmp_path):
    said = say("config", "schema")
    assert said.json["properties"]["task"]["description"].startswith("what is to be learned")
    assert say("config", "schema", "--output", "s.json").out == ""
    assert json.loads((tmp_path / "s.json").read_text()) == said.json


def test_init_writes_a_config_that_is_valid_and_never_replaces_one_unasked(say, tmp_path):
    for subject in ("a1", "a2"):
        archives.write_nifti(tmp_path / "in" / subject / "ct.nii.gz")
        archives.write_nifti(tmp_path / "in" / subject / "seg.nii.gz", (0, 1))
    said = say("config", "init", "in", "--json")
    assert (said.code, said.json) == (0, {"kind": "masks", "path": "cohort.yaml"})
    config = load(tmp_path / "cohort.yaml", environment={})
    assert config.sources[0].path == str(tmp_path / "in")
    (tmp_path / "cohort.yaml").write_text("mine")
    said = say("config", "init", "in")
    assert said.code == 2
    assert "--force replaces it" in said.err
    assert (tmp_path / "cohort.yaml").read_text() == "mine"
    assert say("config", "init", "in", "--force").code == 0
    assert (tmp_path / "cohort.yaml").read_text() != "mine"


def test_init_of_a_folder_without_annotations_writes_nothing(say, tmp_path):
    archives.write_ct(tmp_path / "in", "p1")
    said = say("config", "init", "in")
    assert said.code == 2
    assert "a cohort needs one of these" in said.err
    assert not (tmp_path / "cohort.yaml").exists()
