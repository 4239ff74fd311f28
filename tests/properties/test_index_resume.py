"""An index that is killed and begun again leaves what an uninterrupted one leaves, byte by byte.

Four kills by default; ISOCENTER_KILLS names another number.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contracts.files import ct_dataset, dicom_bytes, nifti_bytes
from tests.properties import killed_index
from tests.properties.tiny import KEY, bytes_of

KILLS = int(os.environ.get("ISOCENTER_KILLS", "4"))
# As many that findings are put by more than once on the way.
SERIES, SLICES = 44, 50


@dataclass
class Whole:
    """What an uninterrupted index left, and what it took."""

    bytes: dict[str, bytes]
    events: int
    seconds: float
    scanned: int


class Scene:
    """A folder that has changed since it was indexed for the first time, and what its index is to become."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "root"
        self.root.mkdir()
        for series in range(SERIES):
            write_series(self.root, series)
        (self.root / "image.nii").write_bytes(nifti_bytes())
        (self.root / "cut.dcm").write_bytes(dicom_bytes(ct_dataset())[:600])
        self.place("begun", is_begun=False)
        assert self.child("begun", "event", "-1").returncode == 0
        shutil.rmtree(self.root / "0")
        for series in range(1, SERIES // 2):
            os.utime(self.root / f"{series}" / "3", ns=(10**18, 10**18))
        write_series(self.root, SERIES)
        self.whole = {is_begun: self._whole(is_begun=is_begun) for is_begun in (False, True)}

    def _whole(self, *, is_begun: bool) -> Whole:
        name = f"whole-{is_begun}"
        self.place(name, is_begun=is_begun)
        done = self.child(name, "event", "-1")
        assert done.returncode == 0, done.stderr
        events, seconds, scanned = done.stdout.split()
        return Whole(bytes_of(self.folder / name), int(events), float(seconds), int(scanned))

    def place(self, name: str, *, is_begun: bool) -> None:
        """A workspace: that of the earlier index, or a new one."""
        if is_begun:
            shutil.copytree(self.folder / "begun", self.folder / name)
            return
        (self.folder / name).mkdir(mode=0o700)
        key = self.folder / name / "secret.key"
        key.write_text(KEY + "\n")
        key.chmod(0o600)

    def child(self, name: str, *how: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", killed_index.__name__, str(self.root), str(self.folder / name), *how]
        here = Path(killed_index.__file__).parents[2]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=here)


def write_series(root, series):
    (root / f"{series}").mkdir()
    for n in range(SLICES):
        dataset = ct_dataset(
            n,
            SOPInstanceUID=f"2.25.5{series}.{n}",
            SeriesInstanceUID=f"2.25.6{series}",
            StudyInstanceUID=f"2.25.7{series // 3}",
            PatientID=f"p{series // 6}",
        )
        (root / f"{series}" / f"{n}").write_bytes(dicom_bytes(dataset))


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return Scene(tmp_path_factory.mktemp("resume"))


def test_there_is_something_to_interrupt(scene):
    assert min(w.events for w in scene.whole.values()) > 20
    assert scene.whole[False].scanned == SERIES * SLICES + 2
    assert scene.whole[True].scanned == SERIES // 2 - 1 + SLICES


def test_an_index_that_was_continued_is_that_of_a_new_one(scene):
    """What was found before and what is found now make the same tables."""
    again, new = (
        {n: b for n, b in scene.whole[k].bytes.items() if n.endswith(".parquet")} for k in (True, False)
    )
    assert again == new
    assert "index/stacks.parquet" in new


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_and_begun_again_is_as_if_never_killed(scene, number):
    lot = random.Random(number)
    is_begun, is_timed = number % 2 == 1, number % 3 == 2
    whole, name = scene.whole[is_begun], f"killed-{number}"
    scene.place(name, is_begun=is_begun)
    if is_timed:
        done = scene.child(name, "seconds", f"{lot.uniform(0.1, 1.0) * whole.seconds:.3f}")
        assert done.returncode in {0, -signal.SIGALRM}, done.stderr
    else:
        done = scene.child(name, "event", str(lot.randint(1, whole.events)))
        assert done.returncode == -signal.SIGKILL, done.stderr
    again = scene.child(name, "event", "-1")
    assert again.returncode == 0, again.stderr
    assert bytes_of(scene.folder / name) == whole.bytes
    shutil.rmtree(scene.folder / name)


def test_what_was_found_before_the_end_is_not_looked_for_again(scene):
    scene.place("late", is_begun=False)
    done = scene.child("late", "event", str(scene.whole[False].events))
    assert done.returncode == -signal.SIGKILL
    again = scene.child("late", "event", "-1")
    assert int(again.stdout.split()[-1]) < SERIES * SLICES // 2
