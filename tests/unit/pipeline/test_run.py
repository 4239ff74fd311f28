"""Running: what is refused at the door, and how the key of another workspace is taken."""

import pytest

import isocenter as iso
from isocenter.base.errors import ConfigError
from isocenter.pipeline.config import load
from isocenter.pipeline.run import StageResult, run
from tests.unit.pipeline.archives import write_ct, write_rtstruct


@pytest.fixture
def patient(cohort):
    """The cohort with one CT of one patient in it."""
    write_ct(cohort.folder / "north" / "ct", "p1", slices=4)
    write_rtstruct(cohort.folder / "north" / "rs", "p1", ["GTV"])
    return cohort


def test_a_stage_that_does_not_exist_is_refused(cohort):
    with pytest.raises(
        ConfigError, match="until must be one of index, screen, enrol, build, split, audit, report"
    ):
        run(cohort.write(), until="pack")


def test_a_config_that_was_loaded_is_taken_as_it_is(patient, tmp_path):
    config = load(patient.write(), environment={})
    done = iso.run(config, workspace=tmp_path / "elsewhere", until="index")
    assert done.workspace == tmp_path / "elsewhere"
    assert done.counts["files"] == 5
    assert not (tmp_path / "work").exists()


def test_the_first_run_is_not_fresh_and_the_second_is(patient):
    assert not run(patient.write(), until="screen").is_fresh
    assert run(patient.write(), until="screen").is_fresh


def test_a_run_of_no_stage_is_not_fresh(tmp_path):
    assert not iso.Run(workspace=tmp_path, stages=(), counts={}).is_fresh
    done = StageResult(name="index", state="fresh", seconds=0, counts={})
    assert iso.Run(workspace=tmp_path, stages=(done,), counts={}).is_fresh


def test_the_key_of_another_workspace_is_used_and_not_changed_later(patient, tmp_path):
    first = run(patient.write(), until="index").workspace
    other = patient.write(workspace="second", key="work/secret.key")
    second = run(other, until="index").workspace
    assert (second / "secret.key").read_bytes() == (first / "secret.key").read_bytes()
    assert (second / "secret.key").stat().st_mode & 0o077 == 0
    (tmp_path / "new.key").write_text("0" * 64 + "\n")
    with pytest.raises(ConfigError, match="begun with another key"):
        run(patient.write(workspace="second", key="new.key"), until="index")


def test_the_seed_given_to_a_call_wins(patient):
    assert load(run(patient.write(seed=3), until="index", seed=5).workspace / "cohort.yaml").seed == 5


def test_the_config_as_run_can_be_run(patient):
    first = run(patient.write(), until="screen")
    assert run(first.workspace / "cohort.yaml", until="screen").is_fresh


def test_a_dry_run_that_stops_before_the_plan_tells_the_gate_and_no_forecast(cohort):
    made = run(cohort.write(), dry_run=True)
    assert made.gate.startswith("index: the sources hold no files")
    assert not any(line.startswith("Forecast") for line in made.summary)
