"""A flag wins over a variable, a variable over the file; each is told where it is wrong."""

import pytest


def test_a_variable_wins_over_the_file_and_a_flag_over_both(cohort):
    variables = {"ISOCENTER_SEED": "2", "ISOCENTER_SPLIT__STRATEGY": "grouped"}
    assert cohort.load(seed=1).seed == 1
    assert cohort.load(seed=1, environment=variables).seed == 2
    config = cohort.load(seed=1, environment=variables, overrides={"seed": 3})
    assert (config.seed, config.split.strategy) == (3, "grouped")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("ISOCENTER_STANDARDISE__SPACING", "[1, 1, 2.5]", lambda c: c.standardise.spacing == (1, 1, 2.5)),
        ("ISOCENTER_STANDARDISE__HU_RANGE", "null", lambda c: c.standardise.hu_range is None),
        ("ISOCENTER_SPLIT__APPEND_ONLY", "false", lambda c: c.split.append_only is False),
        ("ISOCENTER_SOURCES__1__SITE", "west", lambda c: c.sources[1].site == "west"),
        ("ISOCENTER_LABELS__TUMOUR__CODE", "SCT:1", lambda c: c.labels["Tumour"].code == "SCT:1"),
        ("ISOCENTER_NAME", "a name", lambda c: c.name == "a name"),
    ],
)
def test_a_variable_reaches_every_key(cohort, name, value, read):
    assert read(cohort.load(environment={name: value}, labels={"Tumour": None}))


def test_paths_from_outside_the_file_start_at_the_working_folder(cohort, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "data").mkdir()
    monkeypatch.chdir(elsewhere)
    config = cohort.load(overrides={"workspace": "out", "sources.0.path": "data"})
    assert config.workspace == str(elsewhere / "out")
    assert config.sources[0].path == str(elsewhere / "data")


@pytest.mark.parametrize(
    ("environment", "path", "message", "hint"),
    [
        ({"ISOCENTER_SEED": "x"}, "seed", "must be a whole number", "set by ISOCENTER_SEED"),
        ({"ISOCENTER_SPLT__NAME": "x"}, "ISOCENTER_SPLT__NAME", "names no key", "did you mean 'split'?"),
        ({"ISOCENTER_SPLIT__NAM": "x"}, "split.nam", "is not a key here", "did you mean 'name'?"),
        ({"ISOCENTER_SOURCES__9__SITE": "x"}, "sources.9", "cannot be set here", "SOURCES__9"),
        ({"ISOCENTER_SEED": "[1"}, "ISOCENTER_SEED", "is not YAML", ""),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(cohort, environment, path, message, hint):
    problem = cohort.problem(environment=environment)
    assert (problem.path, problem.line) == (path, None)
    assert message in problem.message
    assert hint in problem.hint


def test_a_wrong_flag_is_told_as_one(cohort):
    problem = cohort.problem(overrides={"split.strategy": "groupd"})
    assert problem.path == "split.strategy"
    assert problem.hint == "did you mean 'grouped'?; set by a flag"


def test_variables_of_other_things_are_left_alone(cohort):
    assert cohort.load(environment={"ISOCENTER_REAL_DATA": "/somewhere", "PATH": "x"}).seed == 0
