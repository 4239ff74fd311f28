import gzip
import struct
import tarfile
import warnings
import zipfile
import zlib

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import opening, parsing
from isocenter.formats.image import FORMATS
from tests.contracts.files import ct_bytes, nifti_bytes, nrrd_bytes, stack_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (EOFError("Secret"), "file/truncated"),
        (OSError("Secret"), "file/truncated"),
        (OSError(5, "Secret"), "file/unreadable"),
        (MemoryError("Secret"), "file/too-large"),
        (RecursionError("Secret"), "file/corrupt"),
        (struct.error("Secret"), "file/corrupt"),
        (zlib.error("Secret"), "file/corrupt"),
        (KeyError("Secret"), "file/corrupt"),
        (UnicodeDecodeError("ascii", b"Secret", 0, 1, "Secret"), "file/corrupt"),
        (FormatError("read/values", "kept"), "read/values"),
    ],
)
def test_every_exception_has_a_reason_and_loses_its_text(error, reason):
    with pytest.raises(FormatError) as caught, parsing("the header"):
        raise error
    assert caught.value.reason == reason
    assert "Secret" not in f"{caught.value} {caught.value.measured} {caught.value.expected}"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_person_may_still_stop_the_program(error):
    with pytest.raises(error), parsing("the header"):
        raise error


def test_warnings_stay_inside():
    with parsing("the header"):
        warnings.warn("Secret", stacklevel=1)
        assert np.isnan(np.float64(np.inf) - np.float64(np.inf))


def test_the_error_of_opening_names_no_path(tmp_path):
    with pytest.raises(FormatError) as caught, opening(tmp_path / "secret"):
        raise AssertionError
    assert caught.value.reason == "file/unreadable"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("dicom", ct_bytes()),
        ("nifti", nifti_bytes()),
        ("nifti", gzip.compress(nifti_bytes(), mtime=0)),
        ("nrrd", nrrd_bytes()),
    ],
)
def test_every_reader_reads_members_of_archives(tmp_path, kind, name, data):
    """The same rows and voxels as from the file itself."""
    (tmp_path / "file").write_bytes(data)
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED) as out:
            out.write(tmp_path / "file", "folder/file")
    else:
        with tarfile.open(tmp_path / "a", "w:gz" if kind == "tar.gz" else "w") as out:
            out.add(tmp_path / "file", "folder/file")
    known, found = [], []
    for path, seen in ((tmp_path / "file", known), (tmp_path / "a!/folder/file", found)):
        with opening(path) as file:
            seen.append(file.read())
        seen.append(FORMATS.get(name).scan(path, "f", 0, "site"))
        volume = FORMATS.get(name).read(stack_of(name, [tmp_path / "file"]), [path])
        seen.append((volume.array.tobytes(), volume.grid.affine.tobytes(), volume.unit))
    assert known == found


def test_what_is_wrong_with_a_member_is_a_format_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
        out.writestr("m", b"x")
    for name in ("a.zip!/gone", "b.zip!/m", "a.zip/m", "a.zip!m"):
        with pytest.raises(FormatError) as caught, opening(tmp_path / name):
            raise AssertionError
        assert caught.value.reason == "file/unreadable"
