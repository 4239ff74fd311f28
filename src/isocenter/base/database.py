"""Database: questions to tables that are larger than memory; with `questions`, the door to duckdb."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import duckdb

from isocenter.base.errors import StaleArtefact
from isocenter.base.questions import Answer, Question
from isocenter.base.tables import Table, schema_of, table_of_batch, table_of_rows

MEMORY_BYTES = 512 << 20
# Signs that would stand for other names in the path of a file.
_NAMED_OTHERS = re.compile(r"([*?\[])")
_WORD = re.compile(r"\w+")


class Database:
    """Tables as views that SQL can be asked of; what does not fit in memory goes to a folder meanwhile.

    The order of an answer is fixed only where the question fixes it: ORDER BY, always.

    Args:
        folder: Where what does not fit in memory goes; made if need be.
        threads: How many threads answer.
        memory_bytes: How much memory answers may take.
    """

    def __init__(self, folder: Path, *, threads: int = 1, memory_bytes: int = MEMORY_BYTES) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "threads": threads,
            "memory_limit": f"{memory_bytes}B",
            "temp_directory": str(folder),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
        }
        self._connection = duckdb.connect(":memory:", config=settings)
        self._connection.execute("SET enable_progress_bar = false")  # it prints to stdout
        self._viewed: list[str] = []
        self._seen: dict[str, Any] = {}
        self._defined: dict[str, str] = {}
        self._is_closed_off = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def view(self, name: str, row_type: type, paths: Sequence[Path]) -> None:
        """Name the rows of some Parquet files; without files the view has the right columns and no rows.

        Args:
            name: What the view is called.
            row_type: The dataclass of the rows.
            paths: The files.
        """
        columns = ", ".join(f'"{n}"' for n in schema_of(row_type).names)
        if not paths:
            self.put(name, table_of_rows(row_type, ()))
            return
        files = [_quoted(_NAMED_OTHERS.sub(r"[\1]", str(p.absolute()))) for p in paths]
        try:
            self._connection.execute(
                f'CREATE OR REPLACE VIEW "{name}" AS SELECT {columns} FROM read_parquet([{", ".join(files)}])'
            )
        except (duckdb.InvalidInputException, duckdb.BinderException):
            raise StaleArtefact(
                f"{name}.parquet is damaged, or was written by another version; run again to make it anew"
            ) from None
        # the file, and the pattern that stands for it
        self._viewed += {*files, *(_quoted(str(p.absolute())) for p in paths)}

    def see(self, name: str, table: Any) -> None:
        """Name the rows of a table in memory, or of `tables.parts`, without a copy of them."""
        self._seen[name] = table
        self._connection.register(name, table)

    def put(self, name: str, table: Table) -> None:
        """Keep the rows of a table in memory under a name."""
        self._connection.register("_given", table)
        self._connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM _given')
        self._connection.unregister("_given")

    def do(self, sql: str, *parameters: Any) -> None:
        """Carry out what has no answer: make a table, for one."""
        self._connection.execute(sql, list(parameters))

    def rows(self, sql: str, *parameters: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of an answer, a few thousand in memory at once."""
        answer = self._cursor(sql).execute(sql, list(parameters))
        while found := answer.fetchmany(4096):
            yield from found

    def tables(self, sql: str, *parameters: Any, size: int) -> Iterator[Table]:
        """An answer as tables of so many rows."""
        answer = self._cursor(sql).sql(sql, params=list(parameters) or None)
        for batch in answer.to_arrow_reader(size):
            yield table_of_batch(batch)

    def ask(self, sql: str) -> Answer:
        """Answer somebody else's question: it can read what was put or viewed before, nothing else, and write nothing.

        From the first question on the settings are fixed and other files are out of reach.

        Raises:
            ConfigError: it is not one SELECT, is wrong, or needs more memory than it may take.
        """
        return self._question(sql).answer()

    def ask_table(self, sql: str) -> Table:
        """Answer a question as `ask` does, with the whole answer as one table."""
        return self._question(sql).table()

    def define(self, name: str, sql: str) -> None:
        """Name an answer of our own, to be asked further."""
        self._defined[name] = sql
        self._connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS {sql}')

    def _cursor(self, sql: str) -> Any:
        """A place to ask from; what is seen each of them has to be told, which takes half a millisecond for each name."""
        cursor, looked, left = self._connection.cursor(), set[str](), [sql]
        while left:
            words = set(_WORD.findall(left.pop())) - looked
            looked |= words
            left += [self._defined[word] for word in words & self._defined.keys()]
        for name in sorted(looked & self._seen.keys()):
            cursor.register(name, self._seen[name])
        return cursor

    def _question(self, sql: str) -> Question:
        if not self._is_closed_off:
            self._is_closed_off = True
            self._connection.execute("SET python_enable_replacements = false")
            self._connection.execute(f"SET allowed_paths = [{', '.join(self._viewed)}]")
            self._connection.execute("SET enable_external_access = false")
            self._connection.execute("SET lock_configuration = true")
        return Question(self._connection.cursor(), sql)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
