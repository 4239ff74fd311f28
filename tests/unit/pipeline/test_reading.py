"""What a reading says of its volumes names nobody, whatever a header holds as its modality."""

import json

import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.base.errors import RejectedError
from isocenter.model.rows import Stack, ValueCount
from isocenter.pipeline.explain import explain
from isocenter.pipeline.inventory import inventory
from isocenter.pipeline.reading import judged
from isocenter.testing.rules import a_stack
from tests.unit.pipeline.dicom_series import write_series

EVEN = (0, 3, 6, 9, 12, 15)
NAME = "SECRETNAME"


def write_of(folder, modality, uid="1.2.826.56", person="P1"):
    write_series(
        folder, EVEN, uid=uid, Modality=lambda _: modality, PatientID=lambda _: person, StudyID=lambda _: ""
    )


@pytest.mark.parametrize(
    ("modality", "shown"),
    [
        ("CT", "CT"),
        ("MRI", "MRI"),
        ("mri", "MRI"),
        (NAME, "image"),
        ("", "image"),
        ("CT SECRETNAME", "image"),
    ],
)
def test_only_a_known_word_is_shown_as_what_a_stack_is(modality, shown):
    assert f"  {shown} 40 x" in str(judged(a_stack(modality=modality, shape=(40, 8, 8)), ()))


def test_no_text_of_a_reading_repeats_a_modality_that_is_no_term(tmp_path):
    write_of(tmp_path, NAME)
    write_series(tmp_path, EVEN, uid="1.2.826.57", name="t", Modality=lambda _: NAME)
    reading = iso.read(tmp_path)
    assert len(reading) == 2
    with pytest.raises(RejectedError) as caught:
        _ = reading.volume
    issues = json.dumps([[i.message, str(i.measured), str(i.expected)] for i in reading.issues])
    for said in (repr(reading), *map(str, reading.verdicts.values()), str(caught.value), issues):
        assert NAME not in said
    assert "image (6, 20, 24)" in str(caught.value)
    assert "  image 6 x 20 x 24" in repr(reading)


def test_a_verdict_has_no_modality_that_is_no_term():
    shown = {m: judged(a_stack(modality=m), ()).modality for m in ("CT", "mri", NAME, "")}
    assert shown == {"CT": "CT", "mri": "MRI", NAME: "other", "": ""}


def run_of(folder):
    """A run over some series, with a report."""
    (folder / "labels.csv").write_text("id,label\nP1,lesion\nP2,lesion\n")
    columns = {"key": "id", "label": "label"}
    document = {
        "name": "n",
        "task": "classification",
        "sources": [{"path": "data", "site": "s"}],
        "channels": {"ct": {"modality": "CT"}},
        "labels": {"lesion": None},
        "annotations": [{"kind": "table", "shape": "labels", "path": "labels.csv", "columns": columns}],
        "split": {"strategy": "grouped", "fractions": {"train": 1.0}},
        "executor": {"kind": "serial"},
        "workspace": "work",
    }
    write_yaml(folder / "cohort.yaml", document)
    return iso.run(folder / "cohort.yaml")


def said_in(work):
    """Name to text of every file that is not of the index."""
    said = {}
    for path in sorted(p for p in work.rglob("*") if p.is_file()):
        name = path.relative_to(work).as_posix()
        if name.startswith("index/"):
            continue
        said[name] = path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            said[name] += json.dumps(tables.read_table(path).to_pylist(), default=str)
    assert {"report.html", "log.jsonl", "store/cases.parquet"} <= set(said)
    return said


def test_a_run_tells_it_in_the_index_alone(tmp_path, capfd):
    write_of(tmp_path / "data" / "a", "CT")
    write_of(tmp_path / "data" / "b", NAME, uid="1.2.826.58", person="P2")
    run = run_of(tmp_path)
    work = tmp_path / "work"
    values = list(tables.read(work / "index" / "values.parquet", ValueCount))
    assert NAME in {v.value for v in values}  # or the search would prove nothing
    said = said_in(work) | {"summary": repr(run), "out": "".join(capfd.readouterr())}
    assert [n for n, text in said.items() if NAME.lower() in text.lower()] == []


DEVICE = (
    "Manufacturer",
    "ManufacturerModelName",
    "BodyPartExamined",
    "ConvolutionKernel",
    "ContrastBolusAgent",
)


def write_named(folder, person, name, device, uid):
    write_series(
        folder,
        EVEN,
        uid=uid,
        PatientID=lambda _: person,
        PatientName=lambda _: name,
        StudyID=lambda _: "",
        **{keyword: lambda _, text=text: text for keyword, text in zip(DEVICE, device, strict=True)},
    )


def test_what_a_scanner_is_called_names_neither_its_patient_nor_another(tmp_path, capfd):
    own = ("Winterfeld CT", "Clara Winterfeld", "WINTERFELD", "Clara", "for Winterfeld")
    others = ("Winterfeld^Clara", "CLARA WINTERFELD", "WINTERFELD", "Sharp clara", "Clara 90 ml")
    third = ("SIEMENS", "Acme 64", "CHEST", "B30f", "IOPROMIDE")
    write_named(tmp_path / "data" / "a", "P1", "Winterfeld^Clara", own, "1.2.826.61")
    write_named(tmp_path / "data" / "b", "P2", "Siemens^Bo", others, "1.2.826.62")
    write_named(tmp_path / "data" / "c", "P3", "Chest^Ida", third, "1.2.826.63")
    run = run_of(tmp_path)
    stacks = {s.subject: {a.name: a.value for a in s.attributes} for s in run_stacks(tmp_path / "work")}
    said = said_in(tmp_path / "work")
    told = "\n".join(line for s in stacks for one in explain(tmp_path / "work", s) for line in one.lines)
    counted = inventory(tmp_path / "work")
    said |= {"summary": repr(run), "out": "".join(capfd.readouterr()), "explained": told}
    said |= {"inventory": repr(counted), "values": repr(stacks)}
    for name in ("winterfeld", "clara"):
        assert [n for n, text in said.items() if name in text.lower()] == []
    # and people see which scanner it was
    assert {
        "manufacturer": "SIEMENS",
        "model": "Acme 64",
        "body_part": "CHEST",
        "convolution_kernel": "B30f",
    } in [
        {n: v[n] for n in ("manufacturer", "model", "body_part", "convolution_kernel")}
        for v in stacks.values()
    ]
    assert "Acme 64" in said["report.html"]
    assert {"SIEMENS", "*"} <= {t.value for t in counted.manufacturers.largest}


def run_stacks(work):
    return list(tables.read(work / "index" / "stacks.parquet", Stack))
