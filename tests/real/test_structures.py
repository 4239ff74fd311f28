"""Real structure sets: the compiled walk is sure of each, and says what the parser says."""

import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.dicom import file as dicom_file
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.watched import WatchedHeader
from isocenter.formats.image import FORMATS, format_of

pytestmark = pytest.mark.real
STRUCTURE_SET = b"1.2.840.10008.5.1.4.1.1.481.3\0"


def structure_sets(folder):
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            head = file.read(4096)
        if STRUCTURE_SET in head and format_of(head) == "dicom":
            yield path


def test_the_walk_says_what_the_parser_says(real_data, monkeypatch):
    direct, sure, walked = dicom_file._direct, [], {}

    def watched(bounded, survey, regions, limits):
        dataset = direct(bounded, survey, regions, limits)
        if regions is not None:
            sure.append(dataset is not None)
        return dataset

    scan = FORMATS.get("dicom").scan
    with monkeypatch.context() as patch:
        patch.setattr(dicom_file, "_direct", watched)
        for path in structure_sets(real_data):
            try:
                walked[path] = scan(path, "file", 0, "site")
            except FormatError:
                continue
    monkeypatch.setattr(dicom_file, "find_regions", lambda *_, **__: None)
    monkeypatch.setattr(dicom_file, "_direct", lambda *_: None)
    monkeypatch.setattr(WatchedHeader, "sequence", Header.sequence)
    for path, found in walked.items():
        assert found == scan(path, "file", 0, "site")
    assert len(walked) > 30
    assert sum(sure) == len(sure) - 1 > 30  # one begins without a head, which is the parser's
