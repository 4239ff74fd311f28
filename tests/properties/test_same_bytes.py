"""The same archive, options and key make the same bytes, whoever does the work and however it came about."""

import io
import os
import shutil

import pyarrow.parquet
import pytest

import isocenter
from tests.properties.tiny import SITES, bytes_of, write_cohort, write_patient

PATIENTS = 6


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    for n in range(PATIENTS):
        write_patient(folder, SITES[n % 2], f"p{n}", seed=n)
    return folder


@pytest.fixture(scope="module")
def fresh(archive, tmp_path_factory):
    """Every byte of a first run in this process."""
    return _run(tmp_path_factory.mktemp("fresh"), archive, until="split")


def _run(folder, archive, *, until="build", jobs=1, executor="serial", **changes):
    config = write_cohort(folder, archive, executor=executor, **changes)
    made = isocenter.run(config, until=until, jobs=jobs)
    assert made.gate is None
    assert made.counts["cases_packed"] > 0
    return bytes_of(folder / "work")


@pytest.mark.parametrize("jobs", [1, 2])
def test_processes_write_what_one_process_writes(archive, fresh, tmp_path, jobs):
    assert _run(tmp_path, archive, until="split", executor="processes", jobs=jobs) == fresh


def test_the_folder_in_which_the_archive_lies_is_of_no_account(archive, fresh, tmp_path):
    moved = shutil.copytree(archive, tmp_path / "elsewhere")
    made = _run(tmp_path, moved, until="split")
    assert _moved(made) == _moved(fresh)


def test_the_order_in_which_files_were_written_is_of_no_account(fresh, tmp_path):
    for n in reversed(range(PATIENTS)):
        write_patient(tmp_path / "archive", SITES[n % 2], f"p{n}", seed=n)
    made = _run(tmp_path, tmp_path / "archive", until="split")
    assert _moved(made) == _moved(fresh)


def test_a_second_run_does_nothing_and_changes_nothing(archive, fresh, tmp_path):
    _run(tmp_path, archive, until="split")
    again = isocenter.run(tmp_path / "cohort.yaml", until="split")
    assert again.is_fresh
    assert bytes_of(tmp_path / "work") == fresh


def _remove(archive):
    shutil.rmtree(archive / "north" / "p0")


def _add(archive):
    write_patient(archive, "north", "p7", seed=7)


def _touch(archive):
    os.utime(archive / "south" / "p1" / "ct.nii", ns=(2 * 10**18, 2 * 10**18))


def _replace(archive):
    write_patient(archive, "south", "p3", seed=33)
    for path in (archive / "south" / "p3").iterdir():
        os.utime(path, ns=(3 * 10**18, 3 * 10**18))


def _all(archive):
    for change in (_remove, _add, _touch, _replace):
        change(archive)


@pytest.mark.parametrize("change", [_remove, _add, _touch, _replace, _all])
def test_a_grown_data_set_is_the_one_that_is_built_at_once(archive, tmp_path, change):
    mine = shutil.copytree(archive, tmp_path / "archive")
    before = _run(tmp_path / "grown", mine)
    change(mine)
    grown = _run(tmp_path / "grown", mine)
    assert grown != before
    assert grown == _run(tmp_path / "at-once", mine)


def test_only_the_shard_of_a_changed_case_is_written_again(archive, tmp_path):
    mine = shutil.copytree(archive, tmp_path / "archive")
    _run(tmp_path, mine)
    shards = sorted((tmp_path / "work/store/shards").iterdir())
    before = {p.name: p.stat().st_ino for p in shards}
    _touch(mine)
    done = isocenter.run(tmp_path / "cohort.yaml", until="build").stages[-1].counts
    assert (done["built"], done["kept"]) == (1, PATIENTS - 1)
    written = [p.name for p in shards if p.stat().st_ino != before[p.name]]
    assert len(written) == 1
    assert len(shards) > 1


def test_the_numbers_that_the_first_plan_froze_outlive_a_growing_archive(archive, tmp_path):
    """The median spacing and the count of shards would both be others, were they taken anew."""
    mine = tmp_path / "archive"
    for n in range(0, PATIENTS, 2):
        write_patient(mine, "north", f"p{n}", seed=n)
    (mine / "south").mkdir()
    how = {"standardise": {"spacing": "median"}, "store": {"shard_bytes": 1 << 20}}
    _run(tmp_path, mine, **how)
    first = (tmp_path / "work/enrol/frozen.json").read_bytes()
    for n in range(9):
        write_patient(mine, "south", f"q{n}", seed=n)
    _run(tmp_path, mine, **how)
    assert (tmp_path / "work/enrol/frozen.json").read_bytes() == first


def _moved(files):
    """All but where the files lie: the path in the marks of the stages, device and inode in the table of files."""
    kept = {k: v for k, v in files.items() if not k.endswith("done.json") and k != "run.json"}
    listed = pyarrow.parquet.read_table(io.BytesIO(kept["index/files.parquet"]))
    return kept | {"index/files.parquet": listed.drop_columns(["device", "inode"]).to_pylist()}
