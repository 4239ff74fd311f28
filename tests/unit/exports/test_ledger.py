import json

import pytest

from isocenter.base.errors import ConfigError, RunError
from isocenter.exports.ledger import NAME, Entry, Written, ledger_of


def made(folder, case, *names, key="k"):
    """Files of a case, written and told."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"data")
    return Entry(case=case, key=key, files=tuple(Written(name=n, bytes=4, digest="d") for n in names))


def test_what_was_written_is_known_again(tmp_path):
    with ledger_of(tmp_path / "out") as ledger:
        ledger.add(made(tmp_path / "out", "a", "x/a1", "a2"))
    with ledger_of(tmp_path / "out") as ledger:
        assert ledger.has("a", "k")
        assert not ledger.has("a", "other")
        assert not ledger.has("b", "k")
        (tmp_path / "out/x/a1").write_bytes(b"dat")
        assert not ledger.has("a", "k")


def test_files_that_a_case_has_no_more_are_taken_away_with_their_folders(tmp_path):
    with ledger_of(tmp_path) as ledger:
        ledger.add(made(tmp_path, "a", "x/y/a1", "a2"))
        ledger.add(made(tmp_path, "a", "a2", key="new"))
        assert not (tmp_path / "x").exists()
        assert (tmp_path / "a2").exists()
        ledger.drop("a")
        assert [p.name for p in tmp_path.iterdir()] == [NAME]


def test_a_file_that_another_case_has_by_now_stays(tmp_path):
    with ledger_of(tmp_path) as ledger:
        ledger.add(made(tmp_path, "a", "one"))
        ledger.add(made(tmp_path, "b", "one"))
        ledger.drop("a")
    assert (tmp_path / "one").exists()


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "theirs.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"), ledger_of(tmp_path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["theirs.txt"]


def test_two_exports_into_one_folder_are_refused(tmp_path):
    with (
        ledger_of(tmp_path / "out"),
        pytest.raises(RunError, match="another export"),
        ledger_of(tmp_path / "out"),
    ):
        pass


def test_a_line_that_a_kill_left_half_written_is_no_record(tmp_path):
    with ledger_of(tmp_path) as ledger:
        ledger.add(made(tmp_path, "a", "a1"))
    with (tmp_path / NAME).open("a") as file:
        file.write('{"case": "b", "key": "k", "fi')
    with ledger_of(tmp_path) as ledger:
        assert set(ledger.entries) == {"a"}
        ledger.add(made(tmp_path, "c", "c1"))
    with ledger_of(tmp_path) as ledger:
        assert set(ledger.entries) == {"a", "c"}


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", ""])
def test_nothing_outside_the_folder_is_ever_taken_away(name, tmp_path):
    (tmp_path / "outside").write_text("stays")
    (tmp_path / "out").mkdir()
    record = {"case": "a", "key": "k", "files": [{"name": name, "bytes": 1, "digest": ""}]}
    (tmp_path / "out" / NAME).write_text(json.dumps(record) + "\n")
    with ledger_of(tmp_path / "out") as ledger:
        assert ledger.entries == {}
        ledger.drop("a")
    assert (tmp_path / "outside").exists()


def test_what_a_killed_export_left_of_a_file_is_swept(tmp_path):
    with ledger_of(tmp_path):
        pass
    (tmp_path / "images").mkdir()
    (tmp_path / "images/.a.nii.gz.tmp-12").write_bytes(b"half")
    with ledger_of(tmp_path):
        assert list((tmp_path / "images").iterdir()) == []
