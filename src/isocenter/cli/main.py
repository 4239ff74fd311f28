"""The command `isocenter`: finds the command that was asked for, and turns what goes wrong into exit codes.

Exit codes: 0 clean, 1 the data did not pass a gate, 2 asked wrongly, 3 our bug, 130 interrupted.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from isocenter import __version__
from isocenter.base.errors import ConfigError, IsocenterError
from isocenter.base.outcome import failure_of
from isocenter.cli.console import clean, note, show
from isocenter.cli.folder import CommandFolder

INTERRUPTED = 130
OUR_BUG = 3
_THEIR_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
# A folder that was named and is none, or cannot be made.
_THEIR_PATH = (errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)

app = typer.Typer(cls=CommandFolder, no_args_is_help=True, pretty_exceptions_enable=False)


def _say_version(is_wanted: bool) -> None:
    if is_wanted:
        sys.stdout.write(f"isocenter {__version__}\n")
        raise typer.Exit


@app.callback()
def isocenter(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Turn raw clinical imaging archives into training sets that can be trusted."""


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run one command line and exit.

    Args:
        words: What was typed after `isocenter`; the process's own arguments by default.
    """
    arguments = list(sys.argv[1:] if words is None else words)
    as_json = "--json" in arguments
    try:
        # typer tells a usage error itself, but only as text
        left = app(arguments, prog_name="isocenter", standalone_mode=not as_json)
        code = left if isinstance(left, int) else 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    except IsocenterError as error:
        code = _tell(error, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an exit code
        # typer's errors have no base class of one name in all its versions
        is_usage = hasattr(error, "format_message") and hasattr(error, "exit_code")
        code = _tell_usage(error) if is_usage else _tell_bug(error, as_json=as_json)
    if code == INTERRUPTED:
        note("Interrupted. The next run goes on from here.")
    sys.exit(code)


def _tell(error: IsocenterError, *, as_json: bool) -> int:
    """Print what the caller can mend."""
    note(f"Error: {error}")
    if as_json:
        document: dict[str, Any] = {"kind": type(error).__name__, "message": str(error)}
        if isinstance(error, ConfigError):
            document["problems"] = error.problems
        show({"error": document}, [], as_json=True)
    return error.exit_code


def _tell_usage(error: Any) -> int:
    """Print what was typed wrongly; as text, typer has told it before."""
    message = str(error.format_message())
    note(f"Error: {message}")
    show({"error": {"kind": "UsageError", "message": clean(message)}}, [], as_json=True)
    return int(error.exit_code)


def _tell_bug(error: Exception, *, as_json: bool) -> int:
    """Print where a bug struck: no values, no paths, no text that may come from data."""
    if isinstance(error, OSError) and error.errno in _THEIR_DISK:
        note(f"Error: a file cannot be read or written: {error.strerror}")
        code, document = 1, {"kind": "OSError", "message": error.strerror}
    elif isinstance(error, OSError) and error.errno in _THEIR_PATH:
        name = Path(str(error.filename or "")).name
        note(f"Error: {name or 'a path'}: {error.strerror}")
        code, document = 2, {"kind": "OSError", "message": error.strerror}
    else:
        failure = failure_of(error)
        note(
            f"Internal error: {failure.kind} in {failure.where}\nThis is a bug in isocenter; please report it."
        )
        code, document = OUR_BUG, {"kind": failure.kind, "message": failure.where}
    if as_json:
        show({"error": document}, [], as_json=True)
    return code
