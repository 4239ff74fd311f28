"""The index from Python: what is found, where it is kept, and whose it is."""

import gc

import pytest

import isocenter as iso
from isocenter.base.errors import ConfigError
from isocenter.pipeline.index import sources_of
from tests.unit.pipeline.archives import write_ct


def test_folders_are_centres_of_their_own(tmp_path):
    for name in ("one", "two"):
        write_ct(tmp_path / name, "p1", slices=4)
    apart = iso.index(tmp_path / "one", tmp_path / "two", jobs=1)
    assert sorted(s.site for s in apart.series) == ["site-1", "site-2"]
    assert len({s.subject for s in apart.series}) == 2
    together = iso.index(tmp_path / "one", tmp_path / "two", site="here", jobs=1)
    assert {s.site for s in together.series} == {"here"}
    assert len({s.subject for s in together.series}) == 1


def test_files_are_of_the_centre_of_their_folder(tmp_path):
    write_ct(tmp_path / "one", "p1", slices=3)
    found = iso.index(*sorted((tmp_path / "one").iterdir()), jobs=1)
    assert found.counts["files"] == 3
    assert [s.n_instances for s in found.series] == [3]
    sites = [s.site for s in sources_of([tmp_path / "one" / "0.dcm", tmp_path / "one", tmp_path], None)]
    assert sites == ["site-1", "site-1", "site-2"]


def test_without_a_workspace_the_tables_go_with_the_index(tmp_path, monkeypatch):
    write_ct(tmp_path / "one", "p1", slices=4)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    found = iso.index(tmp_path / "one", jobs=1)
    assert (found.counts["files"], len(found.stacks), found.instances.num_rows) == (4, 1, 4)
    assert found.workspace.parent == tmp_path / "temporary"
    assert found.workspace.stat().st_mode & 0o077 == 0
    del found
    gc.collect()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_index_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def broken(*_words, **_options):
        raise OSError("disk")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("isocenter.pipeline.index.index_stage", broken)
    (tmp_path / "one").mkdir()
    with pytest.raises(OSError, match="disk"):
        iso.index(tmp_path / "one")
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


def test_with_one_only_what_is_new_is_read(tmp_path):
    write_ct(tmp_path / "one", "p1", slices=4)
    iso.index(tmp_path / "one", workspace=tmp_path / "work", jobs=1)
    write_ct(tmp_path / "one" / "more", "p2", slices=3, series="1.2.4")
    found = iso.index(tmp_path / "one", workspace=tmp_path / "work", jobs=1)
    assert (found.counts["scanned"], found.counts["reused"]) == (3, 4)


def test_the_account_and_answers_come_from_the_tables(tmp_path):
    write_ct(tmp_path / "one", "p1", slices=4)
    (tmp_path / "one" / "notes.txt").write_text("nothing")
    found = iso.index(tmp_path / "one", jobs=1)
    states = {s.state: s.entries for s in found.inventory.states}
    assert (found.inventory.entries, states["image"], states["ignored"]) == (5, 4, 1)
    answer = found.query("SELECT patient_id, count(*) AS files FROM instances GROUP BY ALL")
    assert answer.to_pylist() == [{"patient_id": "p1", "files": 4}]
    with pytest.raises(ConfigError, match="one SELECT"):
        found.query("DROP VIEW instances")


@pytest.mark.parametrize(
    ("paths", "options", "message"),
    [
        ((), {}, "name at least one"),
        (("nope", "neither"), {}, "'nope', 'neither'"),
        ((".",), {"content": "pixel"}, "did you mean 'pixels'"),
    ],
)
def test_a_wrong_call_is_told(tmp_path, monkeypatch, paths, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        iso.index(*paths, **options)
