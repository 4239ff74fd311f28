"""The fast header reader on real files of many makers: against the slow reader, and against pydicom alone."""

import os
from pathlib import Path

import numpy as np
import pydicom
import pytest

from isocenter.formats.dicom.tracer import tracer_texts
from isocenter.formats.header_reader import HEADER_READERS, Heads
from isocenter.formats.image import FORMATS, HEAD_BYTES
from isocenter.formats.limits import DEFAULT_LIMITS
from tests.contracts.headers import differences, scans_of, slow_scan
from tests.oracles.plain_pydicom import disagreements

pytestmark = pytest.mark.real
BATCH = 512
# Other rows than those of instances, or encodings that are left to the slow reader; and what it refuses.
LEFT = {"dicom-rtstruct", "dicom-rtdose", "dicom-seg", "file/truncated", "file/corrupt", "file/limit"}
SYNTAXES = {"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"}
SHARE = 0.95


class Files:
    """Files as `Heads`, read as little as is asked for."""

    def __init__(self, paths):
        self.paths, self.read_bytes, self.pixels = paths, 0, []

    def __call__(self, number, offset, count):
        self.read_bytes += count
        with self.paths[number].open("rb") as file:
            file.seek(offset)
            return file.read(count)

    def heads(self):
        pieces = [self(n, 0, 8192) for n in range(len(self.paths))]
        counts = np.array([len(p) for p in pieces], np.int64)
        starts = np.cumsum([0, *counts[:-1]], dtype=np.int64)
        sizes = np.array([p.stat().st_size for p in self.paths], np.int64)
        return Heads(np.frombuffer(b"".join(pieces), np.uint8), starts, counts, sizes, self)


@pytest.fixture(scope="module")
def found(real_data):
    """Every DICOM file with what the fast reader says of it."""
    out: list[tuple[Path, object]] = []
    sniff = FORMATS.get("dicom").sniff
    paths = [Path(folder) / name for folder, _, names in sorted(os.walk(real_data)) for name in sorted(names)]
    paths = [p for p in paths if p.is_file() and sniff(p.open("rb").read(HEAD_BYTES))]
    for at in range(0, len(paths), BATCH):
        part = paths[at : at + BATCH]
        headers = HEADER_READERS.get("dicom").read(Files(part).heads(), DEFAULT_LIMITS)
        out += zip(part, scans_of(headers), strict=True)
    return out


@pytest.mark.filterwarnings("ignore")
def test_it_agrees_with_pydicom_on_all_tags_of_all_files(found):
    wrong = []
    for path, scan in found:
        if scan is not None:
            wrong += [(path.name, *what) for what in disagreements(scan.instance, path)]
    assert wrong == []


@pytest.mark.filterwarnings("ignore")
def test_every_pet_is_understood_and_says_what_its_whole_data_set_says(found):
    count, wrong = 0, []
    for path, scan in found:
        dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        if dataset.get("Modality") != "PT" or "Rows" not in dataset:
            continue
        count += 1
        if scan is None or scan.instance.pet != tracer_texts(dataset):
            wrong.append(path.name)
    assert wrong == []
    assert count > 600


def test_it_agrees_with_the_slow_reader_and_leaves_out_little(found):
    wrong, left = [], []
    for path, fast in found:
        slow = slow_scan(path)
        if fast is not None:
            wrong += [(path.name, *what) for what in differences(fast, slow)]
            continue
        kind = slow if isinstance(slow, str) else slow.kind
        is_other = not isinstance(slow, str) and (
            slow.frames or (slow.instance and (slow.instance.transfer_syntax_uid in SYNTAXES))
        )
        if kind not in LEFT and not is_other:
            left.append((path.name, kind))
    assert wrong == []
    assert len(left) <= 12, left
    assert sum(scan is not None for _, scan in found) >= SHARE * len(found)


@pytest.mark.filterwarnings("ignore")
def test_no_pixel_data_are_read(real_data):
    paths = sorted((real_data / "transfer_syntaxes_ct").glob("*.dcm"))
    files = Files(paths)
    scans = scans_of(HEADER_READERS.get("dicom").read(files.heads(), DEFAULT_LIMITS))
    ends = [
        pydicom.dcmread(p, stop_before_pixels=True).buffer is not None and p.stat().st_size for p in paths
    ]
    assert sum(s is not None for s in scans) >= len(paths) - 2
    # the heads, a few bytes of each fragment and no more
    assert files.read_bytes < 8192 * len(paths) + 4096 * len(paths) < sum(ends)
