"""What a reading says of its volumes names nobody, whatever a header holds as its modality."""

import json

import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.base.documents import write_yaml
from isocenter.base.errors import RejectedError
from isocenter.model.rows import ValueCount
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


def test_a_run_tells_it_in_the_index_alone(tmp_path, capfd):
    write_of(tmp_path / "data" / "a", "CT")
    write_of(tmp_path / "data" / "b", NAME, uid="1.2.826.58", person="P2")
    (tmp_path / "labels.csv").write_text("id,label\nP1,lesion\nP2,lesion\n")
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
    write_yaml(tmp_path / "cohort.yaml", document)
    run = iso.run(tmp_path / "cohort.yaml")
    work = tmp_path / "work"
    values = list(tables.read(work / "index" / "values.parquet", ValueCount))
    assert NAME in {v.value for v in values}  # or the search would prove nothing
    said = {"summary": repr(run), "out": "".join(capfd.readouterr())}
    for path in sorted(p for p in work.rglob("*") if p.is_file()):
        name = path.relative_to(work).as_posix()
        if name.startswith("index/"):
            continue
        said[name] = path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            said[name] += json.dumps(tables.read_table(path).to_pylist(), default=str)
    assert {"report.html", "log.jsonl"} <= set(said)
    assert [n for n, text in said.items() if NAME.lower() in text.lower()] == []
