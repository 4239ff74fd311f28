import imagecodecs
import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.codestream import Codestream, jpeg, jpeg_2000

PIXELS = np.arange(6 * 9, dtype=np.uint16).reshape(6, 9)


def test_jpeg_2000():
    frame = imagecodecs.jpeg2k_encode(PIXELS, level=0, codecformat="j2k", bitspersample=12)
    expected = Codestream(rows=6, columns=9, components=1, precision=12)
    assert jpeg_2000(frame) == expected
    boxed = imagecodecs.jpeg2k_encode(PIXELS, level=0, codecformat="jp2", bitspersample=12)
    assert jpeg_2000(boxed) == expected
    signed = imagecodecs.jpeg2k_encode(PIXELS.astype(np.int16), level=0, codecformat="j2k")
    assert jpeg_2000(signed).is_signed


def test_jpeg():
    lossless = imagecodecs.ljpeg_encode(PIXELS, bitspersample=14)
    assert jpeg(lossless) == Codestream(rows=6, columns=9, components=1, precision=14)
    ls = imagecodecs.jpegls_encode(PIXELS)
    assert (jpeg(ls).rows, jpeg(ls).columns, jpeg(ls).components) == (6, 9, 1)
    colour = imagecodecs.jpeg8_encode(np.zeros((6, 9, 3), np.uint8))
    assert jpeg(colour) == Codestream(rows=6, columns=9, components=3, precision=8)


@pytest.mark.parametrize("read", [jpeg, jpeg_2000])
def test_anything_else_is_refused(read):
    good = imagecodecs.ljpeg_encode(PIXELS), imagecodecs.jpeg2k_encode(PIXELS, codecformat="j2k")
    rng = np.random.default_rng(0)
    cuts = [frame[:n] for frame in good for n in range(12)]
    for frame in [*cuts, b"\xff\xd8" + b"\xff" * 99, *(b"\xff\xd8" + rng.bytes(99) for _ in range(20))]:
        with pytest.raises(FormatError):
            read(frame)
