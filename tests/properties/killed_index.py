"""Indexes a folder and dies without notice: at the Nth event on a file of the workspace, or after some seconds.

python -m tests.properties.killed_index ROOT WORKSPACE event N      (N of -1: live, and print events, seconds and files scanned)
python -m tests.properties.killed_index ROOT WORKSPACE seconds S
"""

import signal
import sys
import time

import isocenter
from tests.properties.killed import Hook


def main() -> None:
    root, workspace, kind, when = sys.argv[1:]
    hook = Hook(workspace, int(when) if kind == "event" else 0)
    sys.addaudithook(hook)
    if kind == "seconds":
        signal.setitimer(signal.ITIMER_REAL, float(when))  # nobody handles it: it ends us wherever we are
    start = time.monotonic()
    found = isocenter.index(root, workspace=workspace, jobs=2)
    sys.stdout.write(f"{hook.seen} {time.monotonic() - start:.3f} {found.counts['scanned']}\n")


if __name__ == "__main__":
    main()
