"""A run that is killed and run again leaves what an uninterrupted run leaves, byte by byte.

Six kills by default; ISOCENTER_KILLS names another number.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import isocenter
from tests.properties import killed
from tests.properties.tiny import SITES, bytes_of, write_cohort, write_patient

KILLS = int(os.environ.get("ISOCENTER_KILLS", "6"))


class Scene:
    """An archive that has grown since a workspace was made of it, and what that workspace is to become."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        for n in range(4):
            write_patient(self.archive, SITES[n % 2], f"p{n}", seed=n)
        self.begun = folder / "begun"
        isocenter.run(write_cohort(self.begun, self.archive, **_HOW), until="build")
        shutil.rmtree(self.archive / "north" / "p0")
        for n in range(4, 7):
            write_patient(self.archive, SITES[n % 2], f"p{n}", seed=n)
        self.events: dict[bool, int] = {}
        self.seconds: dict[bool, float] = {}
        self.whole: dict[bool, dict[str, bytes]] = {}
        for is_begun in (False, True):
            place = self.place(f"whole-{is_begun}", is_begun=is_begun)
            start = time.monotonic()
            done = _child(place, "event", "-1")
            self.seconds[is_begun] = time.monotonic() - start
            assert done.returncode == 0, done.stderr
            self.events[is_begun] = int(done.stdout.split()[-1])
            self.whole[is_begun] = bytes_of(place / "work")

    def place(self, name: str, *, is_begun: bool) -> Path:
        """A new folder to work in, with the workspace of the earlier run or without."""
        place = self.folder / name
        if is_begun:
            shutil.copytree(self.begun, place)
        write_cohort(place, self.archive, **_HOW)
        return place


# Nothing is fixed by hand, so that what the first plan freezes is at stake too.
_HOW = {"store": {"shard_bytes": 1 << 12}, "standardise": {"spacing": "median"}}


def _child(place: Path, *how: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, killed.__file__, str(place / "cohort.yaml"), str(place / "work"), *how]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return Scene(tmp_path_factory.mktemp("resume"))


def test_there_is_something_to_interrupt(scene):
    assert min(scene.events.values()) > 50
    assert all("store/manifest.json" in whole for whole in scene.whole.values())


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_and_run_again_is_as_if_never_killed(scene, number):
    lot = random.Random(number)
    is_begun, is_timed = number % 2 == 1, number % 3 == 2
    place = scene.place(f"killed-{number}", is_begun=is_begun)
    if is_timed:
        done = _child(place, "seconds", f"{lot.uniform(0.4, 1.0) * scene.seconds[is_begun]:.3f}")
        assert done.returncode in {0, -signal.SIGALRM}, done.stderr
    else:
        done = _child(place, "event", str(lot.randint(1, scene.events[is_begun])))
        assert done.returncode == -signal.SIGKILL, done.stderr
    made = isocenter.run(place / "cohort.yaml", until="build")
    assert made.gate is None
    assert bytes_of(place / "work") == scene.whole[is_begun]
    shutil.rmtree(place)
