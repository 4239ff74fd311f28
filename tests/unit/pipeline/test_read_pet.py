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


def test_lean_body_mass_is_what_is_divided_by_where_it_is_asked_for(tmp_path):
    """Janmahasatian et al. 2005, of a woman of 60 kg and 1.70 m."""
    values = write_patient(tmp_path / "data" / "a", 0, PatientSize="1.7", PatientSex="F")
    _, [case], told = built(tmp_path, pet="suvlbm")
    lean_kg = 9270 * 60 / (8780 + 244 * 60 / 1.7**2)
    assert (case.units, told) == (("SUVlbm",), [])
    assert np.asarray(case.image).max() == pytest.approx(values.max() * lean_kg * 1000 / 300e6)


def test_two_units_in_one_channel_are_told(tmp_path):
    """As stored, one patient is in Bq/ml and one is SUV: one of them waits for a person."""
    for n, units in enumerate(("GML", "BQML")):
        write_patient(tmp_path / "data" / f"p{n}", n, Units=units, SUVType="BW")
    run, cases, _ = built(tmp_path, pet="stored")
    told = [
        i
        for i in tables.read(run.workspace / "enrol" / "issues.parquet", Issue)
        if i.rule.endswith("mixed-units")
    ]
    assert [(i.severity, i.measured, i.expected) for i in told] == [("review", "pet: SUVbw", "Bq/ml")]
    assert {c.units[0]: c.verdict for c in cases} == {"Bq/ml": "keep", "SUVbw": "review"}


def test_two_units_that_become_one_are_no_mixture(tmp_path):
    for n, units in enumerate(("GML", "BQML")):
        write_patient(tmp_path / "data" / f"p{n}", n, Units=units, SUVType="BW")
    _, cases, _ = built(tmp_path)
    assert [(c.units, c.verdict) for c in cases] == [(("SUVbw",), "keep")] * 2
