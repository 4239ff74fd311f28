"""Questions: what somebody asks of the tables in SQL, answered row by row, with errors a person can mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import duckdb

from isocenter.base.errors import ConfigError, RunError, StaleArtefact

T = TypeVar("T")

_ROWS = 4096
# What the engine adds for people who may change its settings.
_ADVICE = ("\n\nPossible solutions", "\n\nSee also", "\nTraceback")
# What the engine says of a file that is no longer what was written.
_DAMAGE = (".parquet", "TProtocolException", "ZSTD")


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a question came to.

    Args:
        columns: Names of the columns; one that occurs again is numbered (`n`, `n_2`).
        types: SQL types of the columns.
        rows: The rows, as they come; to be read once.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


class Question:
    """One question to one cursor; it can be interrupted at any time.

    Args:
        cursor: A duckdb cursor whose access and settings are locked.
        sql: The question.
    """

    def __init__(self, cursor: Any, sql: str) -> None:
        self._cursor = cursor
        self._sql = sql

    def answer(self) -> Answer:
        """Ask; the first rows are there when this returns."""
        statement = self._checked()
        self._told(lambda: self._cursor.execute(statement))
        about = self._cursor.description
        columns = _numbered([str(column[0]) for column in about])
        types = tuple(str(column[1]).strip('"') for column in about)
        return Answer(columns, types, self._rows(self._next()))

    def table(self) -> Any:
        """Ask; the whole answer as an Arrow table."""
        self._checked()
        return self._told(lambda: self._cursor.sql(self._sql).to_arrow_table())

    def _checked(self) -> Any:
        statements = self._told(lambda: self._cursor.extract_statements(self._sql))
        # EXPLAIN is none: EXPLAIN ANALYZE runs what it explains, be it a COPY
        if len(statements) != 1 or statements[0].type.name != "SELECT":
            raise ConfigError("a query is one SELECT statement")
        return statements[0]

    def _next(self) -> list[tuple[Any, ...]]:
        return self._told(lambda: self._cursor.fetchmany(_ROWS))

    def _rows(self, some: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        while some:
            yield from some
            some = self._next()

    def _told(self, work: Callable[[], T]) -> T:
        """Do some work of the engine in a thread: the engine itself may not look for Ctrl-C for a long time."""
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(work)
            try:
                return running.result()
            except KeyboardInterrupt:
                self._cursor.interrupt()
                raise
            except duckdb.InternalException:
                raise
            except duckdb.PermissionException:
                raise ConfigError("a query can read the tables and nothing else") from None
            except duckdb.OutOfMemoryException:
                raise ConfigError(
                    "the query needs more memory than it may take; ask for less at once, or count and group"
                ) from None
            except duckdb.IOException:
                raise RunError(
                    "a table or the folder for what is larger than memory cannot be used"
                ) from None
            except duckdb.Error as error:
                raise _mendable(str(error)) from None


def _mendable(message: str) -> ConfigError | StaleArtefact:
    if "LINE 1" not in message and any(word in message for word in _DAMAGE):
        return StaleArtefact("a table is damaged; delete the index folder of the workspace and run again")
    for words in _ADVICE:
        message = message.partition(words)[0]
    return ConfigError(f"the query cannot be answered: {message.strip()}")


def _numbered(names: list[str]) -> tuple[str, ...]:
    out: list[str] = []
    for name in names:
        number, own = 2, name
        while own in out:
            own, number = f"{name}_{number}", number + 1
        out.append(own)
    return tuple(out)
