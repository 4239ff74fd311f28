"""Each command parses, makes one call, prints and exits: here with what it calls replaced or tiny."""

import inspect
from pathlib import Path

import pytest

from isocenter.base.plugins import Plugins
from isocenter.cli import running
from isocenter.cli.folder import COMMANDS
from isocenter.model.issue import Issue, Severity
from isocenter.pipeline.config import CohortConfig
from isocenter.pipeline.explain import Explanation
from isocenter.pipeline.run import Run, StageResult
from isocenter.pipeline.run import run as real_run
from tests.unit.pipeline.dicom_series import write_series

STAGES = ["index", "screen", "enrol", "build", "split", "audit", "report"]


@pytest.fixture
def ran(monkeypatch):
    """Replaces the pipeline; keeps what it was called with."""
    calls = []
    result = {"gate": None}

    def run(config, **options):
        inspect.signature(real_run).bind(config, **options)
        calls.append((config, options))
        return Run(
            workspace=Path(config.workspace),
            stages=(
                StageResult(name="index", state="fresh", seconds=0.01, counts={"files": 1234}),
                StageResult(name="build", state="done", seconds=65.0, counts={"cases": 2}, notes=("a note",)),
            ),
            counts={"files": 1234, "used": 1234},
            store=Path.cwd() / "work" / "store",
            report=Path("/elsewhere/report.html"),
            gate=result["gate"],
            summary=("1234 files = all used \x1b[2J",),
        )

    monkeypatch.setattr(running, "run", run)
    return calls, result


@pytest.mark.parametrize("command", ["run", *STAGES[1:]])  # index: see test_cli_index.py
def test_every_stage_runs_up_to_itself(say, cohort, ran, command):
    calls, _ = ran
    said = say(command, cohort)
    assert said.code == 0
    [(config, options)] = calls
    assert isinstance(config, CohortConfig)
    assert options["until"] == ("report" if command == "run" else command)
    assert options["jobs"] is None


def test_a_run_is_told_in_lines(say, cohort, ran):
    said = say("run", cohort)
    assert said.out.splitlines() == [
        "index    unchanged    1,234 files",
        "build    1 min 5 s    2 cases",
        "         a note",
        "",
        "1234 files = all used \ufffd[2J",
    ]


def test_a_run_is_told_as_json(say, cohort, ran):
    document = say("run", cohort, "--json").json
    assert document["counts"] == {"files": 1234, "used": 1234}
    assert document["store"] == "work/store"
    assert document["report"] == "/elsewhere/report.html"
    assert [s["state"] for s in document["stages"]] == ["fresh", "done"]


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_closed_gate_is_told_and_exits_with_1(say, cohort, ran, flags):
    ran[1]["gate"] = "screen let nothing pass; lower the share"
    said = say("run", cohort, *flags)
    assert said.code == 1
    assert "screen let nothing pass" in (said.json["gate"] if flags else said.out.splitlines()[-1])


def test_flags_reach_the_config(say, cohort, ran, tmp_path):
    words = ["--workspace", "out", "--jobs", "3", "--seed", "9", "--set", "split.strategy=grouped"]
    assert say("run", cohort, *words, "--set", "standardise.spacing=[2, 1, 1]").code == 0
    [(config, options)] = ran[0]
    assert config.workspace == str(tmp_path / "out")
    assert options["jobs"] == 3
    assert config.seed == 9
    assert config.split.strategy == "grouped"
    assert config.standardise.spacing == (2.0, 1.0, 1.0)


def test_the_flags_of_a_stage_reach_its_section(say, cohort, ran):
    words = [
        "--kernel",
        "cubic",
        "--hu-range",
        "[-500, 500]",
        "--orientation",
        "native",
        "--min-dice",
        "0.5",
    ]
    assert say("build", cohort, *words).code == 0
    config = ran[0][0][0]
    assert config.standardise.kernel == "cubic"
    assert config.standardise.hu_range == (-500, 500)
    assert config.standardise.orientation == "native"
    assert config.agreement.min_dice == 0.5


def test_lists_and_switches_are_flags_too(say, cohort, ran):
    words = ["--strata", "sex", "--strata", "manufacturer", "--no-append-only", "--fractions", "{train: 1}"]
    assert say("split", cohort, *words).code == 0
    config = ran[0][0][0]
    assert config.split.strata == ("sex", "manufacturer")
    assert config.split.append_only is False
    assert config.split.fractions == {"train": 1.0}


def test_a_flag_wins_over_a_variable(say, cohort, ran, monkeypatch):
    monkeypatch.setenv("ISOCENTER_SPLIT__NAME", "from-variable")
    monkeypatch.setenv("ISOCENTER_SEED", "4")
    assert say("split", cohort, "--name", "from-flag").code == 0
    assert (ran[0][0][0].split.name, ran[0][0][0].seed) == ("from-flag", 4)


def test_only_what_can_be_told_beforehand_has_a_dry_run(say, cohort, ran):
    assert say("run", cohort, "--dry-run").code == 0
    assert ran[0][0][1]["dry_run"] is True
    assert say("build", cohort, "--dry-run").code == 0
    assert say("index", cohort, "--dry-run").code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--set", "seed"], "'seed' is not KEY=VALUE"),
        (["run", "--set", "seed=[1"], "seed: is not YAML"),
        (["build", "--hu-range", "[1"], "--hu-range: is not YAML"),
        (["split", "--strategy", "groupd"], "did you mean 'grouped'?; set by a flag"),
        (["run", "nope.yaml"], "nope.yaml: cannot be read"),
    ],
)
def test_wrong_flags_are_told_and_exit_with_2(say, cohort, ran, words, message):
    said = say(*words)
    assert said.code == 2
    assert message in said.err
    assert ran[0] == []


def test_an_interrupt_in_the_middle_of_a_run_exits_with_130(say, cohort, monkeypatch):
    def interrupted(*_words, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "run", interrupted)
    said = say("run", cohort)
    assert (said.code, said.out) == (130, "")
    assert "The next run goes on from here" in said.err


def test_a_bug_in_the_middle_of_a_run_exits_with_3_and_shows_no_value(say, cohort, monkeypatch):
    def broken(*_words, **_options):
        raise ValueError("Doe^Jane in /data/jane")

    monkeypatch.setattr(running, "run", broken)
    said = say("run", cohort, "--json")
    assert said.code == 3
    assert said.json["error"]["kind"] == "ValueError"
    assert "jane" not in (said.out + said.err).lower()


def test_explain_prints_every_issue_with_what_was_measured(say, monkeypatch):
    issue = Issue(
        rule="geometry/x", severity=Severity.REJECT, message="uneven", measured="3", expected="2", unit="mm",
        clause="DICOM PS3.3 C.7.6.2",
    )  # fmt: skip
    found = Explanation(
        target="a/b.dcm",
        kind="file",
        state="excluded",
        reason="geometry/x",
        lines=("In 1 stack.",),
        issues=(issue,),
    )
    module = inspect.getmodule(COMMANDS.get("explain").registered_commands[0].callback)
    monkeypatch.setattr(module, "explanation_of", lambda _workspace, _what: (found,))
    assert say("explain", "b.dcm").out.splitlines() == [
        "a/b.dcm (file): excluded, geometry/x",
        "  In 1 stack.",
        "  reject: geometry/x: uneven",
        "    measured 3 mm, expected 2 mm",
        "    DICOM PS3.3 C.7.6.2",
    ]
    assert say("explain", "b.dcm", "--json").json[0]["issues"][0]["severity"] == "reject"


def test_explain_without_a_run_says_so(say):
    said = say("explain", "x")
    assert said.code in (1, 2)
    assert "index" in said.err


def test_verify_without_a_store_says_so(say):
    said = say("verify", "nowhere")
    assert said.code == 1
    assert "Error:" in said.err


def test_rules_are_listed_with_scope_and_severity(say):
    names = Plugins("isocenter.rules.catalogue").names()
    document = say("rules", "--json").json
    assert [r["name"] for r in document] == names
    assert {r["severity"] for r in document} <= {"note", "review", "reject"}
    lines = say("rules").out.splitlines()
    assert len(lines) == len(names) + 1
    assert lines[1].split()[:2] == [names[0], document[0]["scope"]]


def test_a_rule_is_explained_with_its_options(say):
    said = say("rules", "geometry/uneven-slice-spacing")
    assert "Why it matters" in said.out
    assert "tolerance_mm: " in said.out
    document = say("rules", "geometry/uneven-slice-spacing", "--json").json
    assert {o["name"] for o in document["options"]} == {"tolerance_share", "tolerance_mm"}


def test_list_and_show_may_be_said_or_left_out(say):
    assert say("rules", "list").out == say("rules").out
    assert say("rules", "list", "--json").out == say("rules", "--json").out
    name = "geometry/missing-slices"
    shown = say("rules", "show", name)
    assert shown.out.startswith(f"{name}: reject of a Stack, DICOM PS3.3")
    assert shown.out == say("rules", name).out
    assert say("rules", "show", name, "--json").out == say("rules", "--json", name).out


def test_one_family_is_listed_alone(say):
    document = say("rules", "list", "--family", "geometry", "--json").json
    assert {r["family"] for r in document} == {"geometry"}
    assert len(document) >= 10
    said = say("rules", "list", "--family", "geometri")
    assert said.code == 2
    assert "did you mean 'geometry'?" in said.err


def test_an_unknown_rule_is_told_with_the_nearest(say):
    said = say("rules", "geometry/uneven-spacing")
    assert said.code == 2
    assert "did you mean 'geometry/uneven-slice-spacing'?" in said.err


def test_doctor_tells_what_there_is(say):
    said = say("doctor")
    assert said.code == 0
    assert "pydicom" in said.out
    facts = {f["name"]: f for f in say("doctor", "--json").json}
    assert {"isocenter", "python", "numpy", "cores", "memory", "disk", "kernel cache", "extra torch"} <= set(
        facts
    )


def test_a_dry_screen_tells_what_each_rule_costs(say, cohort, tmp_path):
    write_series(tmp_path / "archive" / "a", (0, 3, 6, 12, 15, 18), uid="1.2.826.1")
    said = say("screen", cohort, "--dry-run")
    assert said.code == 0
    head, _, _, columns, *rows = said.out.splitlines()
    assert head == "1 stacks are asked for, of 1 cases (subjects at a date) before any rule."
    assert columns.split()[:2] == ["rule", "now"]
    [row] = [r for r in rows if r.startswith("geometry/missing-slices")]
    assert row.split() == ["geometry/missing-slices", "reject", "1", "100.0%", "1", "1", "ACME", "1"]
    assert not (tmp_path / "work" / "screen" / "verdicts.parquet").exists()
    document = say("screen", cohort, "--dry-run", "--json").json
    assert (document["stacks"], document["cases"]) == (1, 1)
    assert document["rules"][0]["rule"] == "geometry/missing-slices"
    kept = say("screen", cohort, "--dry-run", "--json", "--set", "standardise.gaps=resample").json
    assert kept["rules"][0]["severity"] == "review"


def test_a_dry_screen_of_nothing_stops_at_the_gate(say, cohort):
    said = say("screen", cohort, "--dry-run")
    assert said.code == 1
    assert "the sources hold no files" in said.err


@pytest.fixture
def indexed(say, cohort, tmp_path):
    """The id of the one stack of an archive that was indexed."""
    write_series(tmp_path / "archive" / "a", (0, 3, 6), uid="1.2.826.1")
    assert say("index", cohort).code == 0
    return say("explain", "a/s000.dcm").out.split("stack ")[1].split(".")[0]


def test_a_slice_is_traced_to_its_file(say, indexed):
    said = say("explain", indexed, "--slice", "1")
    assert said.code == 0
    assert said.out.splitlines()[0] == f"{indexed}: slice 1 of 3 x 20 x 24, counted from 0"
    assert "a/s001.dcm, frame 0" in said.out
    document = say("explain", indexed, "--voxel", "1,19,23", "--json").json
    assert document["at"] == [1, 19, 23]
    assert [s["path"] for s in document["sources"]] == ["a/s001.dcm"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--slice", "3"], "there is no 3"),
        (["--voxel", "1,x,2"], "needs three whole numbers"),
        (["--voxel", "1,2,3", "--slice", "1"], "give either"),
    ],
)
def test_a_wrong_slice_exits_with_2(say, indexed, words, message):
    said = say("explain", indexed, *words)
    assert said.code == 2
    assert message in said.err
