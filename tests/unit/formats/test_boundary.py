import struct
import warnings
import zlib

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import opening, parsing


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
