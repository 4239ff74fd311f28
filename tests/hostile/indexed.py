"""Indexes a folder as a user would, and tells what that cost and which files were opened; a program for tests.

python indexed.py ROOT WORKSPACE JOBS CONTENT

Every process of it writes the names of the files that Python opens to the folder that ISOCENTER_OPENED names. Where
ISOCENTER_CHANGED names a folder, its files are changed when the first worker begins: all are listed, none is read.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

import isocenter


class Listener:
    """Hears of every file that this process opens."""

    def __init__(self, log: str, changed: str) -> None:
        self._log = os.open(f"{log}/{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._changed = changed
        self._opened: dict[str, int] = {}
        self._is_busy = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._is_busy or event not in {"open", "os.scandir", "os.listdir"} or not arguments:
            return
        self._is_busy = True
        try:
            self._hear(arguments[0])
        finally:
            self._is_busy = False

    def _hear(self, what: object) -> None:
        if not isinstance(what, str | bytes):
            return
        path = os.fsencode(what)
        os.write(self._log, path + b"\0")
        if self._changed:
            name = Path(os.fsdecode(path)).name
            count = self._opened[name] = self._opened.get(name, 0) + 1
            change(Path(self._changed), name, count)


def change(folder: Path, name: str, count: int) -> None:
    """Change a file behind the back of who has read its first bytes, and looks for more."""
    if count > 1 or not name.startswith("second-"):
        return
    if name == "second-linked.dcm":
        (folder / "second").rename(folder.parents[1] / "spare" / "moved")
        (folder / "second").symlink_to("../../spare")
        return
    (folder / name).unlink()
    if name == "second-pipe.dcm":
        os.mkfifo(folder / name)
    if name == "second-link.dcm":
        (folder / name).symlink_to("../../outside/canary.dcm")


def change_all(folder: Path) -> None:
    """Grow, shrink, replace, remove, and turn into what is no file; once."""
    try:
        os.close(os.open(folder.parents[1] / "spare" / "is-changed", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    with (folder / "grown.dcm").open("ab") as file:
        file.write(bytes(5000))
    os.truncate(folder / "shrunk.dcm", 700)
    os.truncate(folder / "emptied.dcm", 0)
    (folder.parents[1] / "spare" / "replacement").replace(folder / "replaced.dcm")
    for name in ("vanished.dcm", "pipe.dcm", "link.dcm", "folder.dcm", "gone/x.dcm", "linked/canary.dcm"):
        (folder / name).unlink()
    os.mkfifo(folder / "pipe.dcm")
    (folder / "link.dcm").symlink_to("../../outside/canary.dcm")
    (folder / "folder.dcm").mkdir()
    (folder / "gone").rmdir()
    (folder / "linked").rmdir()
    (folder / "linked").symlink_to("../../outside")


def main() -> None:
    root, workspace, jobs, content = sys.argv[1:]
    found = isocenter.index(root, workspace=workspace, jobs=int(jobs), content=content)
    own, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    told = {
        "counts": found.counts,
        "peak_bytes": [own.ru_maxrss << 10, theirs.ru_maxrss << 10],
        "cpu_seconds": own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime,
    }
    sys.stdout.write(json.dumps(told))


if os.environ.get("ISOCENTER_OPENED"):  # in the workers too: they import this module
    sys.addaudithook(Listener(os.environ["ISOCENTER_OPENED"], os.environ.get("ISOCENTER_CHANGED", "")))

if __name__ == "__mp_main__" and os.environ.get("ISOCENTER_CHANGED"):
    change_all(Path(os.environ["ISOCENTER_CHANGED"]))

if __name__ == "__main__":
    main()
