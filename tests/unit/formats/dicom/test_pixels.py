import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.pixels import stored_pixels
from tests.contracts.files import ct_dataset


@pytest.mark.parametrize(("keyword", "dtype"), [("FloatPixelData", "<f4"), ("DoubleFloatPixelData", "<f8")])
def test_floats_are_refused_for_what_they_are(keyword, dtype):
    dataset = ct_dataset()
    del dataset.PixelData
    dataset.BitsAllocated = 8 * np.dtype(dtype).itemsize
    setattr(dataset, keyword, np.zeros((dataset.Rows, dataset.Columns), dtype).tobytes())
    with pytest.raises(FormatError, match="the pixels are floats") as caught:
        stored_pixels(dataset)
    assert caught.value.reason == "file/unsupported"
