"""Tables as views: parts, what does not fit in memory, and answers in the order asked for."""

import numpy as np

from isocenter.base import arrow, tables
from isocenter.base.database import Database
from isocenter.model.rows import FileRow


def rows(numbers, kind="text"):
    return [
        FileRow(file_id=f"fil-{n:07}", source=0, path=f"a/{n}", size=n, mtime_ns=0, kind=kind)
        for n in numbers
    ]


def test_parts_are_seen_with_the_number_each_row_is_from(tmp_path):
    for part in range(3):
        data = tables.to_bytes(tables.table_of_rows(FileRow, rows([part, part + 10])))
        (tmp_path / f"{part + 7:08}_files.arrow").write_bytes(data)
    with Database(tmp_path / "larger") as database:
        database.see("files", tables.parts(FileRow, sorted(tmp_path.glob("*.arrow"))))
        question = "SELECT size, part FROM files WHERE path <> 'a/11' ORDER BY size"
        assert list(database.rows(question)) == [(0, 7), (1, 8), (2, 9), (10, 7), (12, 9)]
        # a view of them, while another answer is not read to its end, and a second time
        database.define("few", "SELECT * FROM files WHERE size < 2")
        answer = database.tables("SELECT size FROM few ORDER BY size", size=1)
        next(answer)
        assert list(database.rows("SELECT count(*) FROM few")) == [(2,)]
        assert [t.num_rows for t in answer] == [1]


def test_a_table_in_memory_is_seen_as_it_is(tmp_path):
    with Database(tmp_path) as database:
        database.see("files", tables.table_of_rows(FileRow, rows([1])))
        database.see("files", tables.table_of_rows(FileRow, rows([3, 2])))
        assert list(database.rows("SELECT size FROM files ORDER BY size")) == [(2,), (3,)]


def test_views_of_no_files_have_columns_and_no_rows(tmp_path):
    with Database(tmp_path) as database:
        database.view("files", FileRow, [])
        database.see("parts", tables.parts(FileRow, []))
        assert list(database.rows("SELECT file_id FROM files")) == []
        assert list(database.rows("SELECT file_id, part FROM parts")) == []


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


def test_what_is_seen_is_told_to_questions_that_name_it_or_a_view_of_it(tmp_path):
    table = tables.table_of_rows(FileRow, rows([1, 2, 3]))
    with Database(tmp_path / "larger") as database:
        database.see("seen", table)
        database.see("other", table)
        database.define("larger_ones", "SELECT * FROM seen WHERE size > 1")
        database.define("fewer", "SELECT * FROM larger_ones WHERE size > 2")
        assert list(database.rows("SELECT size FROM fewer")) == [(3,)]
        assert list(database.rows("SELECT count(*) FROM seen s, other o")) == [(9,)]
        answer = database.rows("SELECT size FROM larger_ones ORDER BY size")
        assert next(answer) == (2,)
        assert next(database.rows("SELECT max(size) FROM other")) == (3,)
        assert next(answer) == (3,)
