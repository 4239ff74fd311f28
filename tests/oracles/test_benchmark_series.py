"""The series that the benchmark of the reader makes are what they claim to be, as pydicom and a decoder read them."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from benchmarks.read import limits, results, series
from benchmarks.read.cases import Told
from benchmarks.read.planes import planes_in
from tests.contracts.files import ct_dataset

ROWS, COLUMNS, SLICES = 16, 24, 7


@pytest.fixture(scope="module")
def slices():
    values = np.random.default_rng(0).integers(0, 4096, (SLICES, ROWS, COLUMNS)).astype("<u2")
    out = []
    for k in range(SLICES):
        one = ct_dataset(k, Rows=ROWS, Columns=COLUMNS, BitsStored=12, HighBit=11, PixelRepresentation=0)
        one.PixelData, one.InstanceNumber, one.SliceLocation = values[k].tobytes(), k + 1, str(2 * k)
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        out.append(one)
    return out


def _read(stored):
    return [pydicom.dcmread(path) for path in sorted(stored.folder.iterdir())]


def test_a_reflected_series_goes_up_down_and_up(slices, tmp_path, monkeypatch):
    monkeypatch.setattr(series, "LONG", 3 * SLICES - 2)
    before = [(s.SOPInstanceUID, float(s.ImagePositionPatient[2])) for s in slices]
    made = _read(series.reflected(slices, tmp_path).whole)
    assert len(made) == len({h.SOPInstanceUID for h in made}) == series.LONG
    assert len({h.SeriesInstanceUID for h in made}) == 1
    assert all(h.file_meta.MediaStorageSOPInstanceUID == h.SOPInstanceUID for h in made)
    assert [h.InstanceNumber for h in made] == list(range(1, series.LONG + 1))
    assert [float(h.ImagePositionPatient[2]) for h in made] == [2.0 * k for k in range(series.LONG)]
    order = [*range(SLICES), *reversed(range(SLICES))]
    wanted = [slices[order[k % (2 * SLICES)]].PixelData for k in range(series.LONG)]
    assert [h.PixelData for h in made] == wanted
    assert [(s.SOPInstanceUID, float(s.ImagePositionPatient[2])) for s in slices] == before


def test_planes_are_where_the_list_says(slices, tmp_path):
    planes = planes_in(series.as_it_is(slices, tmp_path).whole.planes)
    assert limits.new(planes).tobytes() == b"".join(s.PixelData for s in slices)


@pytest.mark.parametrize("name", series.ENCODERS)
def test_compressed_slices_hold_the_same_values(slices, tmp_path, name):
    made = series.compressed(name, slices, tmp_path)
    headers = _read(made.whole)
    assert {h.file_meta.TransferSyntaxUID for h in headers} == {series.ENCODERS[name][0]}
    decoder, frames = limits._frames(planes_in(made.whole.planes))
    decoded = [decoder(frame) for frame in frames]
    found = [one if isinstance(one, bytes) else one.astype("<u2").tobytes() for one in decoded]
    assert found == [s.PixelData for s in slices]


def test_other_values_and_a_missed_bound_are_told(slices, tmp_path, capsys):
    made = series.as_it_is(slices, tmp_path)

    def told(seconds, peak, *values):
        return [Told(cpu_seconds=seconds, wall_seconds=seconds, peak_bytes=peak, values=values)] * 3

    results.print_results(
        made,
        {
            "new": told(1.0, made.n_bytes),
            "checked": told(1.9, 3 * made.n_bytes, 1, 2, 3),
            "simpleitk": told(9.0, made.n_bytes, 1, 2, 4),
            "pydicom": told(9.0, made.n_bytes, 1, 2, 3),
        },
    )
    lines = capsys.readouterr().out.splitlines()
    (other,) = (line for line in lines if line.endswith("OTHER"))
    assert other.startswith("SimpleITK")
    verdicts = [line.split("  ")[-1].strip() for line in lines if line.startswith(("required", "aim"))]
    assert verdicts == ["DOES NOT HOLD", "holds", "DOES NOT HOLD", "DOES NOT HOLD"]
