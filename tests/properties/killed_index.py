"""Indexes a folder and dies without notice: at the Nth event on a file of the workspace, or after some seconds.

python killed_index.py ROOT WORKSPACE event N      (N of -1: live, and print events, seconds and files scanned)
python killed_index.py ROOT WORKSPACE seconds S
"""

import os
import signal
import sys
import time

import isocenter

_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.scandir"}


class _Hook:
    def __init__(self, workspace: str, last: int) -> None:
        self.seen = 0
        self._workspace = workspace
        self._last = last

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in _EVENTS and arguments and str(arguments[0]).startswith(self._workspace):
            self.seen += 1
            if self.seen == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    root, workspace, kind, when = sys.argv[1:]
    hook = _Hook(workspace, int(when) if kind == "event" else 0)
    sys.addaudithook(hook)
    if kind == "seconds":
        signal.setitimer(signal.ITIMER_REAL, float(when))  # nobody handles it: it ends us wherever we are
    start = time.monotonic()
    found = isocenter.index(root, workspace=workspace, jobs=2)
    sys.stdout.write(f"{hook.seen} {time.monotonic() - start:.3f} {found.counts['scanned']}\n")


if __name__ == "__main__":
    main()
