"""Same input, same bytes: serial and processes, one and two workers, interrupted and not."""

import shutil
import signal
import subprocess
import sys

import pytest

import isocenter as iso
from isocenter.base.errors import RunError
from isocenter.base.workspace import Workspace
from tests.end_to_end import cohorts

INTERRUPTED = """
import os, signal, sys
import isocenter as iso

def progress(step):
    if step.stage == sys.argv[3] and step.done >= int(sys.argv[4]):
        os.kill(os.getpid(), int(sys.argv[5]))

if __name__ == "__main__":
    iso.run(sys.argv[1], workspace=sys.argv[2], progress=progress)
"""


@pytest.fixture
def place(segmented, tmp_path):
    """Makes empty workspaces with the key of the run that all others are compared with."""

    def make(name):
        work = tmp_path / name / "work"
        work.mkdir(parents=True)
        shutil.copy2(segmented.root / "secret.key", work / "secret.key")
        return work

    return make


def differing(one, other):
    """Names of the files of two workspaces that differ, apart from how and where they were run."""
    first, second = cohorts.data_of(one), cohorts.data_of(other)
    for files in (first, second):
        files["cohort.yaml"] = cohorts.without_place(files["cohort.yaml"])
    return sorted(n for n in first.keys() | second.keys() if first.get(n) != second.get(n))


@pytest.mark.parametrize(("kind", "jobs"), [("serial", 2), ("processes", 1), ("processes", 2)])
def test_every_file_is_the_same_whoever_does_the_work(archive, segmented, place, tmp_path, kind, jobs):
    document = cohorts.segmentation(archive.folder, executor={"kind": kind, "jobs": jobs})
    work = place("other")
    run = iso.run(cohorts.written(tmp_path, document), workspace=work)
    assert run.gate is None
    assert len(cohorts.data_of(work)) > 40
    assert differing(segmented.root, work) == []


@pytest.mark.parametrize(
    ("stage", "after", "number"),
    [("index", 200, signal.SIGINT), ("build", 9, signal.SIGINT), ("build", 9, signal.SIGKILL)],
)
def test_an_interrupted_run_is_continued_to_the_same_bytes(
    archive, segmented, place, tmp_path, stage, after, number
):
    document = cohorts.segmentation(archive.folder, executor={"kind": "processes", "jobs": 2})
    path, work = cohorts.written(tmp_path, document), place("broken")
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    words = [sys.executable, str(script), str(path), str(work), stage, str(after), str(int(number))]
    stopped = subprocess.run(words, capture_output=True, check=False, timeout=120, text=True)
    assert stopped.returncode != 0
    assert not (work / "report.html").exists()
    assert not (work / "store" / "manifest.json").exists()
    again = iso.run(path, workspace=work)
    assert again.gate is None
    assert differing(segmented.root, work) == []
    if stage == "build":
        (built,) = (s for s in again.stages if s.name == "build")
        assert built.counts["built"] < built.counts["packed"]


def test_a_workspace_serves_one_run_at_a_time(segmented, tmp_path):
    work = tmp_path / "work"
    with Workspace(work).lock(), pytest.raises(RunError, match="another run"):
        iso.run(segmented.config, workspace=work)
    assert iso.run(segmented.config, workspace=work, until="index").gate is None


def test_the_same_key_gives_the_same_names_elsewhere(archive, segmented, tmp_path):
    document = cohorts.segmentation(archive.folder, key=str(segmented.root / "secret.key"))
    run = iso.run(cohorts.written(tmp_path, document), until="enrol")
    own = cohorts.Ledger(run.workspace, archive.folder, document["sources"])
    assert own.planned.keys() == segmented.ledger.planned.keys()
    assert (run.workspace / "secret.key").stat().st_mode & 0o777 == 0o600
    document = cohorts.segmentation(archive.folder, key="")
    fresh = iso.run(cohorts.written(tmp_path / "fresh", document), until="enrol")
    other = cohorts.Ledger(fresh.workspace, archive.folder, document["sources"])
    assert len(other.planned) == len(own.planned)
    assert not other.planned.keys() & own.planned.keys()
