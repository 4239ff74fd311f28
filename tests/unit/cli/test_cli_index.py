"""`isocenter index`: folders, a config, or tables that are there; the account, or the answer to a query."""

import inspect
import json
from pathlib import Path

import pytest

from isocenter.base.errors import RunError
from isocenter.cli import account
from isocenter.cli.folder import COMMANDS
from isocenter.formats.limits import Limits
from isocenter.pipeline.index import Index
from isocenter.pipeline.index import index as real_index
from isocenter.pipeline.inventory import Inventory, StateTally, Tallies, Tally, inventory
from isocenter.pipeline.run import Run, StageResult
from tests.unit.pipeline import index_folder

COUNTS = {"files": 13, "scanned": 11, "reused": 2}


@pytest.fixture
def module():
    return inspect.getmodule(COMMANDS.get("index").registered_commands[0].callback)


@pytest.fixture
def indexed(module, monkeypatch, tmp_path):
    """Replaces the index of folders by tables written by hand; keeps what it was called with."""
    calls = []

    def index(*paths, **options):
        inspect.signature(real_index).bind(*paths, **options)
        calls.append((paths, options))
        return Index(index_folder.small(options["workspace"] or tmp_path / "temporary"), dict(COUNTS))

    monkeypatch.setattr(module, "index_of", index)
    (tmp_path / "scans").mkdir()
    return calls


@pytest.fixture
def ran(module, monkeypatch, tmp_path):
    """Replaces the run of a cohort up to its index."""
    requests = []

    def run_to(stage, request):
        requests.append((stage, request))
        root = index_folder.small(Path(request.overrides.get("workspace", tmp_path / "work")))
        result = StageResult(name="index", state="fresh", seconds=0.0, counts={"files": 13})
        return Run(workspace=root, stages=(result,), counts={"files": 13}, summary=("13 files",))

    monkeypatch.setattr(module, "run_to", run_to)
    return requests


def test_folders_are_told_as_an_account(say, indexed):
    said = say("index", "scans")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "13 entries in 4 folders and 1 archive (2 of them inside), 5.5 KiB"
    assert "  13  sum         every entry is in exactly one state" in lines
    assert "  1  file/truncated          The file ends before its header says it should." in lines
    assert "nothing is kept; --workspace FOLDER keeps the tables" in said.err
    assert indexed == [
        (
            (Path("scans"),),
            {
                "site": None,
                "workspace": None,
                "jobs": None,
                "content": "uids",
                "limits": Limits(),
                "progress": indexed[0][1]["progress"],
            },
        )
    ]


def test_flags_reach_the_index(say, indexed):
    words = ["--site", "north", "--workspace", "out", "--jobs", "2", "--content", "pixels"]
    said = say("index", "scans", "a.zip", *words, "--limits", "{seconds: 3, depth: 9}")
    assert (said.code, "kept in out" in said.err) == (0, True)
    paths, options = indexed[0]
    assert paths == (Path("scans"), Path("a.zip"))
    assert (options["site"], options["workspace"], options["jobs"]) == ("north", Path("out"), 2)
    assert options["content"] == "pixels"
    assert options["limits"] == Limits(seconds=3, depth=9)


def test_json_is_the_whole_inventory(say, indexed):
    document = say("index", "scans", "--json").json
    assert document["counts"] == COUNTS
    assert document["workspace"] is None
    told = document["inventory"]
    assert set(told) == set(Inventory.__slots__)
    assert sum(s["entries"] for s in told["states"]) == told["entries"] == 13
    assert told["kinds"]["largest"][0] == {"value": "dicom-image", "count": 4, "name": "A DICOM image."}
    assert told["duplicates"][0]["value"] == "index/duplicate-object"
    assert {"rule", "severity", "count", "meaning", "what_to_do"} == set(told["issues"][0])


@pytest.mark.parametrize("words", [["cohort.yaml"], [], ["COHORT.YML"]])
def test_a_config_is_run_up_to_its_index(say, cohort, ran, words):
    said = say("index", *words, "--content", "files", "--seed", "4", "--set", "split.name=x", "--jobs", "1")
    assert said.code == 0
    [(stage, request)] = ran
    assert (stage, request.config.name, request.jobs) == ("index", (*words, "cohort.yaml")[0], 1)
    assert request.overrides == {"reading.content": "files", "seed": 4, "split.name": "x"}
    lines = said.out.splitlines()
    assert lines[:4] == ["index    unchanged    13 files", "", "13 files", ""]
    assert lines[4].startswith("13 entries")


def test_a_config_told_as_json_has_both(say, cohort, ran):
    document = say("index", "--json").json
    assert document["counts"] == {"files": 13}
    assert document["inventory"]["entries"] == 13


def test_a_gate_that_closed_after_the_index_exits_with_1(say, cohort, module, monkeypatch, tmp_path):
    root = index_folder.small(tmp_path / "work")
    gate = Run(workspace=root, stages=(), counts={}, gate="nothing was found")
    monkeypatch.setattr(module, "run_to", lambda _stage, _request: gate)
    assert say("index").code == 1


def test_the_config_of_a_folder_named_like_one_is_not_meant(say, indexed, tmp_path):
    (tmp_path / "scans.yaml").mkdir()
    assert say("index", "scans.yaml").code == 0
    assert indexed[0][0] == (Path("scans.yaml"),)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cohort.yaml", "scans"], "not both"),
        (["cohort.yaml", "other.yaml"], "one config file"),
        (["cohort.yaml", "--site", "x"], "--site is for folders"),
        (["scans", "--set", "seed=1"], "--set and --seed are for a config"),
        (["scans", "--seed", "1"], "--set and --seed are for a config"),
        (["scans", "--content", "pixel"], "did you mean 'pixels'?"),
        (
            ["scans", "--limits", "{secnds: 1}"],
            "reading.limits.secnds: is not a key here (did you mean 'seconds'?)",
        ),
        (["scans", "--limits", "{seconds: 0}"], "reading.limits.seconds: must be above 0"),
        (["scans", "--limits", "[1"], "--limits: is not YAML"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_what_does_not_go_together_is_told(say, cohort, indexed, ran, words, message, flags):
    said = say("index", *words, *flags)
    assert said.code == 2
    assert message in said.err
    assert (indexed, ran) == ([], [])
    assert said.json["error"]["kind"] == "ConfigError" if flags else said.out == ""


def test_a_query_is_answered_instead_of_the_account(say, indexed):
    sql = "SELECT state, count(*) AS entries FROM states GROUP BY ALL ORDER BY ALL"
    said = say("index", "scans", "--query", sql)
    assert (said.code, said.err.splitlines()[-1]) == (0, "5 rows")
    assert said.out.splitlines() == [
        "state       entries",
        "----------  -------",
        "annotation        1",
        "ignored           4",
        "image             4",
        "other             2",
        "refused           2",
    ]
    assert say("index", "scans", "--query", sql, "--json").json[0] == {"state": "annotation", "entries": 1}


def test_a_query_without_a_path_asks_the_tables_that_are_there(say, cohort, indexed, ran, tmp_path):
    index_folder.small(tmp_path / "work")
    said = say("index", "--workspace", "work", "--query", "SELECT count(*) AS n FROM files", "--json")
    assert said.json == [{"n": 13}]
    assert (indexed, ran) == ([], [])


def test_the_account_of_tables_that_are_there_is_told_where_there_is_no_config(say, tmp_path):
    index_folder.small(tmp_path / "work")
    said = say("index", "--workspace", "work", "--json")
    assert (said.json["workspace"], said.json["inventory"]["entries"]) == ("work", 13)


def test_a_config_can_be_asked_too(say, cohort, ran):
    said = say("index", "cohort.yaml", "--query", "SELECT max(size) AS m FROM files", "--json")
    assert said.json == [{"m": 9000}]
    assert len(ran) == 1


def test_where_there_is_no_index_it_is_said_how_to_make_one(say, tmp_path):
    said = say("index", "--workspace", "nowhere", "--query", "SELECT 1")
    assert said.code == 1
    assert "isocenter index PATH... --workspace FOLDER" in said.err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM read_text('/etc/hostname')", "SELECT 1; SELECT 2"])
def test_a_wrong_query_exits_with_2_and_names_no_path_of_ours(say, tmp_path, sql):
    index_folder.small(tmp_path / "work")
    said = say("index", "--workspace", "work", "--query", sql, "--json")
    assert said.code == 2
    assert said.json["error"]["kind"] == "ConfigError"
    assert str(tmp_path) not in said.out + said.err


def test_an_error_in_a_late_row_leaves_one_document(say, tmp_path):
    index_folder.small(tmp_path / "work")
    late = "CASE WHEN range = 299999 THEN CAST('a' || range AS INT) END"
    sql = f"SELECT {late} AS late, repeat('x', 200) AS much FROM range(300000)"
    said = say("index", "--workspace", "work", "--query", sql, "--json")
    assert said.code == 2
    assert list(json.loads(said.out)) == ["error"]


def test_an_index_that_fails_is_told(say, module, monkeypatch, tmp_path):
    def refused(*_words, **_options):
        raise RunError("another run is using this workspace")

    monkeypatch.setattr(module, "index_of", refused)
    (tmp_path / "scans").mkdir()
    assert say("index", "scans").code == 1


def test_names_in_headers_cannot_steer_the_terminal(say, tmp_path):
    evil = "\x1b[2J\u202eGE\nInjected  \x07"
    index_folder.write(
        tmp_path / "work",
        files=[index_folder.file("f1", "a\x1b[31m\nb", "dicom-image")],
        instances=[index_folder.instance("f1", manufacturer=evil, modality=evil, sop_class_uid=evil)],
    )
    for words in (
        [],
        ["--query", "SELECT files.path, manufacturer FROM files JOIN instances USING (file_id)"],
        ["--json"],
    ):
        said = say("index", "--workspace", "work", *words)
        assert said.code == 0
        assert not set("\x1b\x07\u202e") & set(said.out + said.err)
        assert not any(line.startswith(("Injected", "b")) for line in said.out.splitlines())


@pytest.fixture
def counted(tmp_path):
    return inventory(index_folder.small(tmp_path / "work"))


def test_a_long_block_ends_with_how_many_more(counted):
    many = tuple(Tally(value=f"M{n}", count=100 - n) for n in range(40))
    told = "\n".join(account.lines_of(_with(counted, models=Tallies(values=50, total=5000, largest=many))))
    assert "M11" in told
    assert "M12" not in told
    shown = sum(100 - n for n in range(12))
    assert f"and 38 more ({5000 - shown:,})" in told


def test_a_sum_that_is_not_that_of_the_entries_is_told(counted):
    broken = (StateTally(state="image", meaning="", entries=1, size_bytes=0),)
    assert any(
        "NOT the number of entries" in line for line in account.lines_of(_with(counted, states=broken))
    )


def test_what_has_nothing_to_tell_is_left_out(tmp_path):
    found = inventory(index_folder.write(tmp_path / "work", files=[]))
    told = list(account.lines_of(found))
    assert told[0] == "0 entries in 0 folders, 0 bytes"
    assert [line for line in told if line and not line.startswith(" ")][1:] == ["States"]


def _with(found, **values):
    return Inventory(**{name: getattr(found, name) for name in Inventory.__slots__} | values)
