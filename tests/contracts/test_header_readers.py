"""Every header reader says what the image format of its name says, or nothing."""

import numpy as np
import pytest

from isocenter.formats.header_reader import HEADER_READERS, Heads, Lists, Numbers
from isocenter.formats.image import FORMATS
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from isocenter.model.rows import Instance
from tests.contracts.files import TEXT_FILES, image_samples, mutants
from tests.contracts.headers import differences, heads_of, read, scans_of, slow_scan

NAMES = list(HEADER_READERS.names())


def samples(name):
    """Good files; compressed ones are the format's own affair."""
    packed = (".gz", "deflated.dcm")
    return [s.data for s in image_samples() if s.format == name and not s.name.endswith(packed)]


@pytest.mark.parametrize("name", NAMES)
def test_there_is_an_image_format_of_its_name(name):
    assert name in FORMATS.names()
    assert samples(name)


@pytest.mark.parametrize("name", NAMES)
def test_good_files_are_known_and_have_the_row_of_the_format(name, tmp_path):
    files = samples(name)
    for data, scan in zip(files, scans_of(read(files, name)), strict=True):
        assert differences(scan, slow_scan(tmp_path / "file", data, name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_files_of_other_formats_are_left_out_wherever_they_stand(name):
    good = samples(name)[0]
    others = [s.data for s in image_samples() if s.format != name] + list(TEXT_FILES)
    files = [x for other in others for x in (other, good)]
    known = [scan is not None for scan in scans_of(read(files, name))]
    assert known == [False, True] * len(others)


@pytest.mark.parametrize("name", NAMES)
def test_no_files_are_no_rows(name):
    headers = read([], name)
    assert headers.kinds == []
    assert headers.is_known.shape == (0,)


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_those_of_instances_and_as_long_as_the_known_files(name):
    files = [*samples(name), b"", *samples(name)]
    headers = read(files, name)
    count = int(headers.is_known.sum())
    assert count == len(headers.kinds) == 2 * len(samples(name))
    allowed = set(Instance.__dataclass_fields__) - {"file_id", "source", "site"}
    assert set(headers.columns) <= allowed
    for column in headers.columns.values():
        length = len(column.values) if isinstance(column, Numbers) else len(column.offsets) - 1
        assert length == count
        if not isinstance(column, Numbers):
            assert column.offsets.dtype == np.int32
            assert column.offsets[0] == 0
        if not isinstance(column, Lists):
            assert column.is_valid.shape == (count,)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("head_bytes", [64, 200, 333, 700])
def test_a_short_head_makes_no_difference(name, head_bytes):
    files = samples(name)
    short, long = scans_of(read(files, name, head_bytes=head_bytes)), scans_of(read(files, name))
    for one, other in zip(short, long, strict=True):
        assert one is None or differences(one, other) == []
        # a head may be too short to know what the file is
        assert (one is not None) or head_bytes < 200


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", ["elements", "depth", "items", "value_bytes", "header_bytes"])
def test_what_is_beyond_a_limit_is_left_to_the_format(name, limit, tmp_path):
    limits = Limits(**{limit: 1})
    for data, scan in zip(samples(name), scans_of(read(samples(name), name, limits)), strict=True):
        if scan is not None:
            path = tmp_path / "file"
            path.write_bytes(data)
            slow = FORMATS.get(name).scan(path, "f", 0, "s", limits)
            assert differences(scan, slow) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_shrinks_while_it_is_read_is_left_out(name):
    (data, *_) = samples(name)
    heads = heads_of([data], 300)
    heads = Heads(heads.arena, heads.starts, heads.counts, heads.sizes, lambda *_: b"")
    assert HEADER_READERS.get(name).read(heads, DEFAULT_LIMITS).is_known.tolist() == [False]


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_never_raise(name, tmp_path):
    files = [m for data in samples(name) for m in mutants(data, 60)]
    for data, fast in zip(files, scans_of(read(files, name)), strict=True):
        if fast is not None:
            assert differences(fast, slow_scan(tmp_path / "file", data, name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_was_read_stays_as_it_is_while_others_are_read(name, tmp_path):
    files = samples(name)
    first = read(files, name)
    before = scans_of(first)
    read(files[::-1] * 3, name)
    assert scans_of(first) == before
    for data, scan in zip(files, before, strict=True):
        assert differences(scan, slow_scan(tmp_path / "file", data, name)) == []
