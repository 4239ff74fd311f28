import imagecodecs
import numpy as np
import pytest
from pydicom import uid

from isocenter.base.errors import FormatError
from isocenter.formats.dicom import decoders
from isocenter.formats.dicom.decoders import room_of
from isocenter.formats.dicom.layout import Layout
from isocenter.formats.dicom.pixels import begin_frame, stored_pixels
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


def test_a_lossy_frame_is_read_again_though_its_memory_holds_another_by_then():
    """Flat grey to the end: only a second reading of the same bytes tells that nothing is cut off."""
    grey = np.full((16, 16), 128, np.uint8)
    frame = imagecodecs.jpeg8_encode(grey)
    layout = Layout(rows=16, columns=16, bits_stored=8, dtype=np.dtype(np.uint8))
    pending = []
    for number in range(1, 5):
        with room_of(uid.JPEGBaseline8Bit, len(frame)) as memory:
            memory[:] = frame
            pending.append(begin_frame(memory, layout, uid.JPEGBaseline8Bit, number=number))
    for _ in range(2):
        with room_of(uid.JPEGBaseline8Bit, len(frame)) as memory:
            memory[:] = bytes(len(frame))
            decoders._sandbox.begin("libjpeg", memory, grey.size, 16, 16, 1, 0)
    assert all(np.array_equal(p.result(), grey) for p in pending)
