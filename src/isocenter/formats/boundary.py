"""The one boundary to foreign parsers: whatever they raise becomes a `FormatError`, and none of its text passes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from isocenter.base.archives.address import open_file
from isocenter.base.errors import FormatError, IsocenterError
from isocenter.base.files import Signature, signature, signature_of


@contextmanager
def opening(path: Path, expected: Signature | None = None) -> Iterator[BinaryIO]:
    """Open a regular file, or a member of an archive; a link, a pipe, a folder or nothing is a `FormatError`.

    A member of which more than a header is read is checked to its end when it is closed: a wrong check sum is a
    `FormatError` then.

    Args:
        path: The file.
        expected: What it was when it was indexed, where that is known; what is open by now is compared with it,
            not what the path leads to.

    Raises:
        FormatError: it cannot be opened, or is another one (`file/changed`).
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open_file(path))
        except OSError as error:
            if expected is not None:
                _refuse_gone(path, expected)
            raise FormatError(
                "file/unreadable", f"the file cannot be opened ({type(error).__name__})"
            ) from None
        except FormatError:
            if expected is not None:
                _refuse_gone(path, expected)
            raise
        if expected is not None:
            refuse_changed(signature_of(file), expected)
        yield file


def refuse_changed(found: Signature, expected: Signature) -> None:
    """Refuse a file that is another one than when it was indexed."""
    if not found.is_of(expected):
        raise FormatError("file/changed", "a file is not the one that was indexed")


def _refuse_gone(path: Path, expected: Signature) -> None:
    """Refuse what cannot be opened as changed, if that is why."""
    try:
        found = signature(path)
    except (OSError, ValueError):
        raise FormatError("file/changed", "a file is no longer where it was indexed") from None
    refuse_changed(found, expected)


@contextmanager
def parsing(what: str) -> Iterator[None]:
    """Run a parser; its exceptions come out as `FormatError`, its warnings not at all.

    Args:
        what: What is being parsed, for the message: "the header". The parser's own message is left behind,
            for it may quote the file.
    """
    with refusing(what), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Run a parser that warns of nothing; its exceptions come out as `FormatError`.

    Args:
        what: See `parsing`.
    """
    try:
        yield
    except IsocenterError:
        raise
    except EOFError:
        raise FormatError("file/truncated", f"{what} ends early") from None
    except OSError as error:
        # parsers raise OSError of their own when bytes run out; one of the system has a number
        if error.errno is None:
            raise FormatError("file/truncated", f"{what} ends early") from None
        raise FormatError(
            "file/unreadable", f"{what} cannot be read ({type(error).__name__})", measured=error.errno
        ) from None
    except MemoryError:
        raise FormatError("file/too-large", f"{what} needs more memory than there is") from None
    except RecursionError:
        raise FormatError("file/corrupt", f"{what} is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - this is the boundary that maps a parser's exceptions
        raise FormatError("file/corrupt", f"{what} is broken ({type(error).__name__})") from None
