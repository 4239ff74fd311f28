"""The index from Python: what is found, where it is kept, and whose it is."""

import isocenter as iso
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


def test_without_a_workspace_nothing_is_kept(tmp_path, monkeypatch):
    write_ct(tmp_path / "one", "p1", slices=4)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    found = iso.index(tmp_path / "one", jobs=1)
    assert (found.counts["files"], len(found.stacks), found.instances.num_rows) == (4, 1, 4)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_with_one_only_what_is_new_is_read(tmp_path):
    write_ct(tmp_path / "one", "p1", slices=4)
    iso.index(tmp_path / "one", workspace=tmp_path / "work", jobs=1)
    write_ct(tmp_path / "one" / "more", "p2", slices=3, series="1.2.4")
    found = iso.index(tmp_path / "one", workspace=tmp_path / "work", jobs=1)
    assert (found.counts["scanned"], found.counts["reused"]) == (3, 4)
