import json

from isocenter.base.log import Log

SECRET = "Doe^Jane"


def _fail(patient):
    path = f"/data/{patient}/ct.dcm"
    raise ValueError(f"cannot read {path}")


def test_a_crash_tells_types_and_places_but_no_value_and_no_path(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    try:
        try:
            _fail(SECRET)
        except ValueError as error:
            raise KeyError(SECRET) from error
    except KeyError as error:
        log.crash(error)
    text = (tmp_path / "log.jsonl").read_text()
    assert SECRET not in text
    assert "/" not in text
    record = json.loads(text)
    assert (record["event"], record["kind"]) == ("crash", "KeyError")
    assert "test_log.test_a_crash_tells" in record["where"]


def test_records_are_lines_whatever_is_in_them(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    log.write("run", name="line\nbreak \ud800 ä")
    log.write("stage", count=2)
    lines = (tmp_path / "log.jsonl").read_text(encoding="ascii").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["run", "stage"]
