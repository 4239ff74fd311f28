"""Tables as views: parts, what does not fit in memory, and answers in the order asked for."""

import numpy as np
import pytest

from isocenter.base import arrow, tables
from isocenter.base.database import Database
from isocenter.model.rows import FileRow


def rows(numbers, kind="text"):
    return [
        FileRow(file_id=f"fil-{n:07}", source=0, path=f"a/{n}", size=n, mtime_ns=0, kind=kind)
        for n in numbers
    ]


def test_rows_of_several_files_and_the_part_each_is_from(tmp_path):
    for part in range(3):
        tables.write(tmp_path / f"{part:08}.files.parquet", FileRow, rows([part]))
    with Database(tmp_path / "larger") as database:
        database.view("files", FileRow, sorted(tmp_path.glob("*.parquet")), with_part=True)
        found = list(database.rows("SELECT size, part FROM files ORDER BY size"))
    assert found == [(0, "00000000"), (1, "00000001"), (2, "00000002")]


@pytest.mark.parametrize("with_part", [False, True])
def test_a_view_of_no_files_has_columns_and_no_rows(tmp_path, with_part):
    with Database(tmp_path) as database:
        database.view("files", FileRow, [], with_part=with_part)
        names = "file_id, part" if with_part else "file_id"
        assert list(database.rows(f"SELECT {names} FROM files")) == []


def test_a_sort_larger_than_memory_goes_to_disk(tmp_path):
    count = 1_000_000
    order = np.random.default_rng(0).permutation(count)
    with tables.Writer(tmp_path / "files.parquet", FileRow) as writer:
        for some in np.array_split(order, 20):
            columns = {
                "file_id": [f"fil-{n:07}" for n in some.tolist()],
                "source": np.zeros(len(some), np.int64),
                "path": [f"{'x' * 90}/{n}" for n in some.tolist()],
                "size": some,
                "mtime_ns": some,
                "kind": ["text"] * len(some),
            }
            writer.write(tables.table_of_columns(FileRow, columns, len(some)))
    with Database(tmp_path / "larger", memory_bytes=96 << 20) as database:
        database.view("files", FileRow, [tmp_path / "files.parquet"])
        seen = 0
        for table in database.tables("SELECT * FROM files ORDER BY file_id", size=100_000):
            sizes = arrow.values(table, "size")
            assert sizes == list(range(seen, seen + len(sizes)))
            seen += len(sizes)
    assert seen == count


def test_parameters_are_values_and_never_part_of_the_question(tmp_path):
    with Database(tmp_path) as database:
        database.put("files", tables.table_of_rows(FileRow, rows([1, 2])))
        assert list(database.rows("SELECT size FROM files WHERE path = ?", "a/1' OR 'a' = 'a")) == []
        assert list(database.rows("SELECT size FROM files WHERE size > ?", 1)) == [(2,)]
