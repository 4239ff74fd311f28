"""Questions of others: one SELECT over the tables that were viewed, and nothing else on the machine."""

import dataclasses
import os
import signal
import threading
import time

import pytest

from isocenter.base import tables
from isocenter.base.database import Database
from isocenter.base.errors import ConfigError, StaleArtefact
from isocenter.model.rows import FileRow


@dataclasses.dataclass
class Older:
    file_id: str = "x"


def row(number):
    return FileRow(
        file_id=f"fil-{number}", source=0, path=f"a/{number}", size=number, mtime_ns=0, kind="text"
    )


@pytest.fixture
def folder(tmp_path):
    """A folder with signs in its name that mean something to SQL or to a shell."""
    out = tmp_path / "it's [1] *?"
    out.mkdir()
    tables.write(out / "files.parquet", FileRow, [row(n) for n in range(10_000)])
    (out / "secret.csv").write_text("name\nDoe^Jane\n")
    return out


@pytest.fixture
def database(folder):
    with Database(folder / "larger", memory_bytes=64 << 20) as out:
        out.view("files", FileRow, [folder / "files.parquet"])
        out.view("gone", FileRow, [])
        yield out


def test_an_answer_has_columns_types_and_rows(database):
    answer = database.ask("SELECT kind, count(*) AS n, sum(size) AS n FROM files GROUP BY ALL")
    assert answer.columns == ("kind", "n", "n_2")
    assert answer.types == ("VARCHAR", "BIGINT", "HUGEINT")
    assert list(answer.rows) == [("text", 10_000, sum(range(10_000)))]


def test_all_rows_of_a_long_answer_come(database):
    assert [r[0] for r in database.ask("SELECT size FROM files ORDER BY size").rows] == list(range(10_000))


def test_a_table_without_a_file_has_no_rows_and_all_columns(database):
    answer = database.ask("FROM gone")
    assert answer.columns[:3] == ("file_id", "source", "path")
    assert list(answer.rows) == []


def test_the_answer_can_be_one_table(database):
    assert database.ask_table("SELECT size FROM files WHERE size < 3 ORDER BY 1").to_pydict() == {
        "size": [0, 1, 2]
    }


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{folder}/secret.csv')",
        "SELECT * FROM '{folder}/secret.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')",
        "SELECT * FROM '../larger/x'",
        "COPY files TO '{folder}/out.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/files.parquet' (USE_TMP_FILE false)",
        "COPY (SELECT 1) TO '{folder}/larger/x.csv'",
        "ATTACH '{folder}/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "PRAGMA memory_limit='9GB'",
        "CALL pragma_version()",
        "CREATE TABLE x AS SELECT 1",
        "DROP VIEW files",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW files",
        "",
        "-- nothing",
        "secret",
        "SELECT * FROM secret",
    ],
)
def test_a_question_reads_the_tables_and_nothing_else(database, folder, sql):
    secret = ["Doe^Jane"]
    before = {p: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    for _ in range(2):  # the first question locks, the second finds all locked
        with pytest.raises(ConfigError) as caught:
            database.ask(sql.format(folder=str(folder).replace("'", "''")))
        assert secret[0] not in str(caught.value)
    assert {p: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    assert list((folder / "larger").iterdir()) == []
    assert next(database.ask("SELECT count(*) FROM files").rows) == (10_000,)


def test_what_is_wrong_is_told_with_its_place(database):
    with pytest.raises(ConfigError, match=r'(?s)"knd" not found.*LINE 1: SELECT knd FROM files\n +\^'):
        database.ask("SELECT knd FROM files")


def test_what_is_wrong_in_a_late_row_is_told_too(database):
    answer = database.ask(
        "SELECT CASE WHEN range = 2999999 THEN CAST('a' || range AS INT) END FROM range(3000000)"
    )
    assert len([next(answer.rows) for _ in range(10)]) == 10
    with pytest.raises(ConfigError, match="Conversion Error"):
        list(answer.rows)


def test_a_question_that_needs_too_much_memory_is_refused(database):
    with pytest.raises(ConfigError, match="more memory than it may take"):
        database.ask("SELECT list(path || range) FROM files, range(1000)")


def test_a_sort_larger_than_memory_goes_to_the_folder(database):
    answer = database.ask(
        "SELECT path || range AS p FROM files, range(200) ORDER BY p DESC LIMIT 1 OFFSET 1500000"
    )
    assert len(list(answer.rows)) == 1


def test_a_question_can_be_interrupted_while_it_runs(database):
    endless = "SELECT a.range FROM range(100000000) a, range(100000) b WHERE a.range * b.range < 0"
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(database.ask(endless).rows)
    assert time.monotonic() - start < 20  # left alone, it would take an hour


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing of use", None])
def test_a_damaged_or_older_table_is_told_as_such(folder, content):
    path = folder / "damaged.parquet"
    path.write_bytes(content) if content is not None else tables.write(path, Older, [Older()])
    with Database(folder / "larger") as database, pytest.raises(StaleArtefact, match="run again"):
        database.view("files", FileRow, [path])


def test_a_table_that_is_damaged_in_the_middle_is_told_when_it_is_met(folder):
    path = folder / "files.parquet"
    data = path.read_bytes()
    columns = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    path.write_bytes(data[:4] + b"\x55" * (columns - 4) + data[columns:])
    with Database(folder / "larger") as database:
        database.view("files", FileRow, [path])
        with pytest.raises(StaleArtefact, match="damaged") as caught:
            list(database.ask("SELECT sum(length(path)) FROM files").rows)
    assert str(folder) not in str(caught.value)
