"""Bad input never stops a run: every bad file gets an issue and a state, and the good ones are packed."""

import gzip
import shutil
from types import SimpleNamespace

import nibabel
import numpy as np
import pydicom
import pytest

import isocenter as iso
from isocenter.pipeline.explain import explain
from isocenter.stages.index import heads
from isocenter.testing.simulate import simulate
from isocenter.testing.simulate.scanner import SITE_KINDS
from tests.end_to_end import cohorts

# What is done to the archive: name of the file or folder, and the state and reasons of which one must be told.
EXPECTED = {
    "site-b/lonely/reader1.nii.gz": ("excluded", {"enrol/annotation-of-nothing"}),
    "site-b/torn/ct.nii.gz": ("excluded", {"file/truncated", "file/corrupt"}),
    "site-b/text/ct.nii.gz": ("ignored", {"text"}),
    "site-b/four/ct.nii.gz": ("held", {"enrol/several-candidates"}),
    "site-b/empty/ct.nii.gz": ("excluded", {"file/empty"}),
    "site-b/zero.nii.gz": ("excluded", {"file/empty"}),
    "site-b/packed/ct.nii.gz": ("ignored", {"text-gzip"}),
    "site-a/headless.dcm": ("excluded", {"file/corrupt", "file/truncated", "content/without-pixels"}),
    "site-a/export.zip": ("excluded", {"file/truncated", "file/corrupt"}),
    "site-a/noise.bin": ("ignored", {"unknown"}),
    "site-a/nobody/0.dcm": ("excluded", {"index/no-subject", "identity/missing-patient-id"}),
    "site-a/secret.dcm": ("excluded", {"file/unreadable"}),
}


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """A small archive with more faults than the simulator plants, and its run."""
    folder = tmp_path_factory.mktemp("spoiled")
    root = folder / "hospital"
    truth = simulate(
        root, patients=10, matrix=40, slices=8, faults=False, kinds=SITE_KINDS, truth=folder / "truth.json"
    )
    nifti_case = next(c for c in truth.cases if c.kind == "nifti-masks")
    dicom_case = next(c for c in truth.cases if c.kind == "ct-rtstruct")
    image = root / nifti_case.paths[0]
    for name in ("lonely", "torn", "text", "four", "empty", "packed"):
        (root / "site-b" / name).mkdir()
    shutil.copyfile(image.with_name("reader1.nii.gz"), root / "site-b/lonely/reader1.nii.gz")
    data = image.read_bytes()
    (root / "site-b/torn/ct.nii.gz").write_bytes(data[: len(data) // 2])
    shutil.copyfile(image.with_name("reader1.nii.gz"), root / "site-b/torn/reader1.nii.gz")
    (root / "site-b/text/ct.nii.gz").write_text("see the other disc\n")
    volume = nibabel.load(image)
    stacked = np.stack([np.asarray(volume.dataobj)] * 2, axis=-1)
    nibabel.save(nibabel.Nifti1Image(stacked, volume.affine), root / "site-b/four/ct.nii.gz")
    (root / "site-b/empty/ct.nii.gz").write_bytes(b"")
    (root / "site-b/zero.nii.gz").touch()
    (root / "site-b/packed/ct.nii.gz").write_bytes(gzip.compress(b"no image at all\n"))
    slices = [root / p for p in dicom_case.paths]
    (root / "site-a/headless.dcm").write_bytes(slices[0].read_bytes()[:400])
    (root / "site-a/export.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    (root / "site-a/noise.bin").write_bytes(bytes(range(256)) * 4)
    (root / "site-a/secret.dcm").write_bytes(slices[0].read_bytes())
    (root / "site-a/nobody").mkdir()
    for n, path in enumerate(slices):
        one = pydicom.dcmread(path)
        one.SeriesInstanceUID += ".1"
        one.SOPInstanceUID += ".1"
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        del one.PatientID
        one.save_as(root / f"site-a/nobody/{n}.dcm", enforce_file_format=True)
    (root / "site-a/secret.dcm").chmod(0)
    with pytest.MonkeyPatch.context() as patch:
        _refuse(patch, "secret.dcm")
        document = cohorts.segmentation(root)
        run = iso.run(cohorts.written(folder, document))
    ledger = cohorts.Ledger(run.workspace, root, document["sources"])
    return SimpleNamespace(run=run, truth=truth, ledger=ledger, root=root)


def _refuse(patch, name):
    """Refuse to open a file, as a system does to anybody but its superuser."""
    allowed = heads.read_heads

    def refusing(root, names, *rest):
        counts = allowed(root, names, *rest)
        paths = names.data.tobytes().split(b"\0")
        counts[[n for n, path in enumerate(paths) if path.endswith(name.encode())]] = -1
        return counts

    patch.setattr(heads, "read_heads", refusing)


def test_the_run_goes_on_and_packs_every_good_case(spoiled):
    assert spoiled.run.gate is None
    assert len(iso.open(spoiled.run.store)) == len(spoiled.truth.cases) == 10


@pytest.mark.parametrize("path", EXPECTED)
def test_every_bad_file_has_a_state_and_is_explained(spoiled, path):
    state, reasons = EXPECTED[path]
    outcome = spoiled.ledger.outcome(path)
    assert outcome.state == state
    assert outcome.reason in reasons
    (one,) = explain(spoiled.run.workspace, str(spoiled.root / path))
    assert (one.state, one.reason) == (outcome.state, outcome.reason)
    if state == "excluded":
        assert reasons & {i.rule for i in one.issues}


def test_a_patient_without_an_id_is_nobody(spoiled):
    case = spoiled.ledger.case_of("site-a/nobody/0.dcm")
    assert case is None
    assert spoiled.ledger.stack_of("site-a/nobody/0.dcm").subject == ""
