"""PET cohorts: packed as SUV, kept out where that cannot be done, and kept as stored where that is asked for."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

import isocenter as iso
from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.model.issue import Issue
from isocenter.testing.simulate.broken.scan import Scan, changed, packed

FACTOR = 60_000 / 300e6  # corrected to the injection


def write_patient(folder, seed, **changes):
    """Six slices of 60 kg and 300 MBq, decay-corrected to the injection."""
    tracer = Dataset()
    tracer.RadionuclideTotalDose, tracer.RadiopharmaceuticalStartTime = "300000000", "091500"
    told = {"Units": "BQML", "DecayCorrection": "ADMIN", "PatientWeight": "60"}
    told["RadiopharmaceuticalInformationSequence"] = [tracer]
    folder.mkdir(parents=True)
    scan = Scan(modality="PT", slices=6, seed=seed)
    for name, data in packed(changed(scan.objects(), **told | changes)).items():
        (folder / name).write_bytes(data)
    return scan.values()


def built(folder, **standardise):
    (folder / "labels.csv").write_text("id,label\nSIM0000,lesion\nSIM0001,lesion\n")
    document = {
        "name": "n",
        "task": "classification",
        "sources": [{"path": "data", "site": "s"}],
        "channels": {"pet": {"modality": "PT"}},
        "labels": {"lesion": None},
        "annotations": [
            {
                "kind": "table",
                "shape": "labels",
                "path": "labels.csv",
                "columns": {"key": "id", "label": "label"},
            }
        ],
        "standardise": standardise,
        "screen": {"stop_at_rejected_share": 1.0},
        "executor": {"kind": "serial"},
        "workspace": "work",
    }
    write_yaml(folder / "cohort.yaml", document)
    run = iso.run(folder / "cohort.yaml", until="build")
    told = tables.read(run.workspace / "screen" / "issues.parquet", Issue)
    told = [(i.severity, i.message) for i in told if i.rule == "values/unconvertible-pet"]
    store = {} if run.store is None else iso.open(run.store)
    return run, [store[i] for i in store], told


@pytest.fixture
def data(tmp_path):
    """Two patients; nobody knows the weight of the second."""
    values = write_patient(tmp_path / "data" / "a", 0)
    write_patient(tmp_path / "data" / "b", 1, PatientWeight="0")
    return values


def test_cases_are_packed_in_suv_and_who_has_none_stays_out(tmp_path, data):
    run, cases, told = built(tmp_path)
    assert run.counts["cases_packed"] == 1
    [case] = cases
    assert case.units == ("SUVbw",)
    np.testing.assert_allclose(
        np.sort(np.asarray(case.image).ravel()), np.sort(data.ravel()) * FACTOR, rtol=1e-6
    )
    assert {a.name: a.value for a in case.attributes}["injected_dose_mbq"] == "300"
    assert "read/suv" in {i.rule for i in case.issues}
    assert told == [("reject", "no suvbw: Patient's Weight (0010,1030) is 0, which is no weight")]


def test_stored_values_are_packed_where_they_are_asked_for(tmp_path, data):
    run, cases, told = built(tmp_path, pet="stored")
    assert run.counts["cases_packed"] == 2
    assert told == []
    assert {c.units for c in cases} == {("Bq/ml",)}
    assert max(np.asarray(c.image).max() for c in cases) >= data.max()


def test_a_normalisation_is_asked_for_by_name(tmp_path, data):
    run, _, told = built(tmp_path, pet="suvlbm")
    assert run.counts.get("cases_packed", 0) == 0
    assert {message for _, message in told} == {
        "no suvlbm: Patient's Size (0010,1020) is missing",
        "no suvlbm: Patient's Weight (0010,1030) is 0, which is no weight",
    }
