"""One simulated archive and its runs, made once and shared by all tests that only look.

25 patients by default; ISOCENTER_PATIENTS names another number.
"""

import os
from types import SimpleNamespace

import pytest

import isocenter as iso
from isocenter.testing.simulate import simulate
from tests.end_to_end import cohorts

PATIENTS = int(os.environ.get("ISOCENTER_PATIENTS", "25"))


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """An archive with all kinds and faults: its folder and the truth."""
    folder = tmp_path_factory.mktemp("archive") / "hospital"
    truth = simulate(
        folder,
        patients=PATIENTS,
        matrix=48,
        slices=12,
        truth=folder.with_name("truth.json"),
        special_files=True,
    )
    return SimpleNamespace(folder=folder, truth=truth)


def _run(archive, folder, document):
    path = cohorts.written(folder, document)
    done = iso.run(path)
    ledger = cohorts.Ledger(done.workspace, archive.folder, document["sources"])
    return SimpleNamespace(run=done, config=path, ledger=ledger, document=document, root=done.workspace)


@pytest.fixture(scope="session")
def segmented(archive, tmp_path_factory):
    """The segmentation cohort, run."""
    return _run(archive, tmp_path_factory.mktemp("seg"), cohorts.segmentation(archive.folder))


@pytest.fixture(scope="session")
def classified(archive, tmp_path_factory):
    """The classification cohort, run."""
    return _run(archive, tmp_path_factory.mktemp("cls"), cohorts.classification(archive.folder))


@pytest.fixture(scope="session")
def detected(archive, tmp_path_factory):
    """The detection cohort, run."""
    return _run(archive, tmp_path_factory.mktemp("det"), cohorts.detection(archive.folder))


@pytest.fixture(scope="session", params=[("Dataset001_Phantom", "nnunet"), ("Task01_Phantom", "decathlon")])
def laid_out(request, archive, tmp_path_factory):
    """A cohort over each known layout, run."""
    document = cohorts.layout(archive.folder, *request.param)
    return _run(archive, tmp_path_factory.mktemp("layout"), document)
