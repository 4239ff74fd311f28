"""The nodules of LUNA16: centres and diameters in LPS millimetres, by series; the images are not here."""

import csv

import numpy as np
import pytest

from isocenter.model.vocabulary import Vocabulary
from isocenter.stages.enrol.tables import link_table
from tests.unit.stages.plans import a_contract, a_dicom, a_source, inputs_of
from tests.unit.stages.rows import NAMES

pytestmark = pytest.mark.real

COLUMNS = {
    "key": "seriesuid",
    "x": "coordX",
    "y": "coordY",
    "z": "coordZ",
    "diameter_mm": "diameter_mm",
}


def test_every_nodule_is_one_box_on_its_series(real_data):
    path = real_data / "csv_LUNA16/annotations.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = {}
    for row in rows:
        centre = np.array([float(row[f"coord{axis}"]) for axis in "XYZ"]) * (-1, -1, 1)
        half = float(row["diameter_mm"]) / 2
        expected.setdefault(row["seriesuid"], []).append([*(centre - half), *(centre + half)])
    assert (len(rows), len(expected)) == (1186, 601)
    images = [
        image
        for n, uid in enumerate(sorted(expected))
        for image in a_dicom(f"s{n}", series=uid, count=1, study_uid=f"2.25.{n}")
    ]
    inputs = inputs_of(images, table=path.parent)
    contract = a_contract()
    source = a_source(
        path=path.name, shape="centres", key="series", label="lesion", world="LPS", columns=COLUMNS
    )
    made = link_table(source, 0, inputs, inputs.stacks, Vocabulary(contract.labels), contract.labels, NAMES)
    assert (made.rows, made.used, made.issues) == (1186, 1186, [])
    found = sorted(np.reshape(a.boxes, (-1, 6)).tolist() for a in made.annotations)
    assert len(found) == 601
    for one, other in zip(found, sorted(expected.values()), strict=True):
        assert np.allclose(one, other, rtol=0, atol=1e-9)
