"""Runs a cohort and dies without notice: at the Nth event on a file of the workspace, or after some seconds.

python killed.py CONFIG WORKSPACE event N      (N of -1: live, and print how many events there were)
python killed.py CONFIG WORKSPACE seconds S
"""

import os
import signal
import sys

import isocenter

_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.scandir"}


class Hook:
    """Counts the events on files of a workspace, and kills this process at one of them."""

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
    config, workspace, kind, when = sys.argv[1:]
    if kind == "seconds":
        signal.setitimer(signal.ITIMER_REAL, float(when))  # nobody handles it: it ends us wherever we are
        isocenter.run(config, until="build")
    else:
        hook = Hook(workspace, int(when))
        sys.addaudithook(hook)
        isocenter.run(config, until="build")
        sys.stdout.write(f"{hook.seen}\n")


if __name__ == "__main__":
    main()
