import imagecodecs
import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.codestream import Codestream, jpeg, jpeg_2000, refuse_cut
from tests.oracles.plain_jpeg import lossless_jpeg

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
    assert jpeg(lossless) == Codestream(
        rows=6, columns=9, components=1, precision=14, process=0xC3, predictor=6
    )
    ls = imagecodecs.jpegls_encode(PIXELS)
    assert (jpeg(ls).rows, jpeg(ls).columns, jpeg(ls).components) == (6, 9, 1)
    colour = imagecodecs.jpeg8_encode(np.zeros((6, 9, 3), np.uint8))
    assert jpeg(colour) == Codestream(rows=6, columns=9, components=3, precision=8, process=0xC0)


@pytest.mark.parametrize("predictor", [1, 7])
@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("rows", [0, 2])
def test_how_a_lossless_scan_is_written(predictor, shift, rows):
    frame = lossless_jpeg(PIXELS, precision=12, predictor=predictor, shift=shift, restart_rows=rows)
    assert jpeg(memoryview(frame)) == Codestream(
        rows=6,
        columns=9,
        components=1,
        precision=12,
        process=0xC3,
        predictor=predictor,
        shift=shift,
        has_restarts=rows > 0,
    )


@pytest.mark.parametrize("reversible", [True, False])
def test_which_wavelet(reversible):
    for frame in (
        imagecodecs.htj2k_encode(PIXELS, reversible=reversible),
        imagecodecs.jpeg2k_encode(PIXELS, level=0, codecformat="j2k", reversible=reversible),
    ):
        assert jpeg_2000(memoryview(frame)).is_reversible is reversible


def test_a_second_frame_is_refused():
    frame = lossless_jpeg(PIXELS, precision=12)
    start = frame.index(b"\xff\xc3")
    with pytest.raises(FormatError):
        jpeg(frame[:start] + frame[start : start + 13] + frame[start:])


def test_a_frame_without_its_end_is_refused():
    frame = lossless_jpeg(PIXELS, precision=12)
    for padding in (b"", b"\0", b"\xff", b"\0" * 9, b" "):
        refuse_cut(memoryview(frame + padding))
    for cut in (frame[:-1], frame[:-2], frame[:-9], b""):
        with pytest.raises(FormatError) as caught:
            refuse_cut(cut)
        assert caught.value.reason == "file/truncated"


@pytest.mark.parametrize("read", [jpeg, jpeg_2000])
def test_anything_else_is_refused(read):
    good = imagecodecs.ljpeg_encode(PIXELS), imagecodecs.jpeg2k_encode(PIXELS, codecformat="j2k")
    rng = np.random.default_rng(0)
    cuts = [frame[:n] for frame in good for n in range(12)]
    for frame in [*cuts, b"\xff\xd8" + b"\xff" * 99, *(b"\xff\xd8" + rng.bytes(99) for _ in range(20))]:
        with pytest.raises(FormatError):
            read(frame)
