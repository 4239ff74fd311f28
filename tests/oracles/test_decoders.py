"""Frames of every transfer syntax are decoded to what plain encoders, or other libraries, wrote."""

import itertools

import imagecodecs
import numpy as np
import pytest
from pydicom import uid
from pydicom.pixels.encoders.native import _encode_frame as pydicom_rle

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.codestream import jpeg
from isocenter.formats.dicom.decoders import choice_of
from isocenter.formats.dicom.layout import Layout
from isocenter.formats.dicom.pixels import begin_frame, decode_frame
from tests.oracles.plain_jpeg import lossless_jpeg

SHAPE = (12, 17)


def layout(bits, *, allocated=None, is_signed=False, shape=SHAPE):
    allocated = allocated or (8 if bits <= 8 else 16)
    kind = "i" if is_signed else "u"
    return Layout(
        rows=shape[0], columns=shape[1], bits_stored=bits, dtype=np.dtype(f"{kind}{allocated // 8}")
    )


def noise(bits, seed=0):
    return np.random.default_rng(seed).integers(0, 1 << bits, SHAPE)


def ramp(bits):
    return np.add.outer(np.arange(SHAPE[0]) * 3, np.arange(SHAPE[1]) * 5) % (1 << bits)


@pytest.mark.parametrize("bits", [8, 10, 12, 15, 16])
@pytest.mark.parametrize("predictor", range(1, 8))
def test_lossless_jpeg_of_every_predictor_restart_and_point_transform(predictor, bits):
    for shift, rows, pixels in itertools.product((0, 2), (0, 1, 5), (noise(bits), ramp(bits))):
        frame = lossless_jpeg(pixels, precision=bits, predictor=predictor, shift=shift, restart_rows=rows)
        found = decode_frame(frame, layout(bits), uid.JPEGLossless)
        assert np.array_equal(found, pixels >> shift << shift), (shift, rows)


@pytest.mark.parametrize("bits", [8, 10, 12, 15, 16])
@pytest.mark.parametrize("predictor", range(1, 5))
def test_lossless_jpeg_whose_differences_wrap(predictor, bits):
    """The streams that pylibjpeg-libjpeg clamps (issue 90): the sum counts modulo the bits of a value."""
    for rows, pixels in itertools.product((0, 1, 5), (noise(bits), ramp(bits))):
        frame = lossless_jpeg(pixels, precision=bits, predictor=predictor, restart_rows=rows, code="wrapped")
        found = decode_frame(frame, layout(bits), uid.JPEGLosslessSV1)
        assert np.array_equal(found, pixels), rows


def test_the_difference_of_the_issue():
    """From 52 by -180 to 128, in eight bits."""
    pixels = np.full(SHAPE, 52)
    pixels[3:, 5:] = 128
    frame = lossless_jpeg(pixels, precision=8, code="wrapped")
    assert np.array_equal(decode_frame(frame, layout(8), uid.JPEGLosslessSV1), pixels)


@pytest.mark.parametrize("predictor", range(5, 8))
def test_wrapped_differences_of_dividing_predictors_are_right_or_refused(predictor):
    """What is predicted from a sum that was not reduced depends on the decoder."""
    for bits, pixels in itertools.product((8, 12, 16), (ramp, noise)):
        expected = pixels(bits)
        frame = lossless_jpeg(expected, precision=bits, predictor=predictor, code="wrapped")
        found, reason = None, ""
        try:
            found = decode_frame(frame, layout(bits), uid.JPEGLossless, number=1)
        except FormatError as error:
            reason = error.reason
        assert reason in {"read/decoders-disagree", "file/corrupt"} or np.array_equal(found, expected)


def test_a_decoder_that_is_known_to_be_wrong_is_never_asked():
    """liblj92 ignores restarts and point transforms; jpegsof3 the latter."""
    for options, names in (
        ({}, {"libjpeg", "liblj92"}),
        ({"predictor": 4}, {"libjpeg", "liblj92"}),
        ({"predictor": 6}, {"libjpeg", "jpegsof3"}),
        ({"restart_rows": 2}, {"libjpeg", ""}),
        ({"shift": 1}, {"libjpeg", ""}),
    ):
        choice = choice_of(uid.JPEGLossless, jpeg(lossless_jpeg(noise(8), precision=8, **options)))
        assert {choice.first, choice.second} == names
    for options in ({"restart_rows": 2}, {"shift": 1}):
        frame = lossless_jpeg(noise(12), precision=12, **options)
        assert not np.array_equal(imagecodecs.ljpeg_decode(frame), noise(12) >> options.get("shift", 0))


def signed(bits):
    return (noise(bits) - (1 << (bits - 1))).astype(np.int16)


LOSSLESS = {
    uid.JPEG2000Lossless: lambda a: imagecodecs.jpeg2k_encode(a, level=0, codecformat="j2k"),
    uid.JPEG2000: lambda a: imagecodecs.jpeg2k_encode(a, level=0, codecformat="j2k"),
    uid.HTJ2KLossless: lambda a: imagecodecs.htj2k_encode(a, reversible=True),
    uid.HTJ2KLosslessRPCL: lambda a: imagecodecs.htj2k_encode(a, reversible=True),
    uid.HTJ2K: lambda a: imagecodecs.htj2k_encode(a, reversible=True),
    uid.JPEGLSLossless: imagecodecs.jpegls_encode,
    uid.JPEGLSNearLossless: imagecodecs.jpegls_encode,
    uid.JPEGLossless: imagecodecs.ljpeg_encode,
    uid.JPEGLosslessSV1: imagecodecs.ljpeg_encode,
}
KNOWS_SIGNS = {uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K}


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda s: s.name)
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_lossless_frames(syntax, dtype):
    pixels = signed(16) if dtype == "i2" else noise(8 * int(dtype[1])).astype(dtype)
    written = pixels if dtype != "i2" or syntax in KNOWS_SIGNS else pixels.view(np.uint16)
    frame = LOSSLESS[syntax](np.ascontiguousarray(written))
    frame = frame if isinstance(frame, bytes) else bytes(frame)
    for number in (0, 1):
        found = decode_frame(
            memoryview(frame),
            layout(8 * int(dtype[1]), is_signed=dtype == "i2"),
            syntax,
            number=number,
        )
        assert found.dtype == pixels.dtype
        assert np.array_equal(found, pixels)


@pytest.mark.parametrize("seed", range(5))
def test_two_libraries_round_lossy_high_throughput_alike(seed):
    pixels = np.random.default_rng(seed).normal(1000, 300, (64, 64)).clip(0, 4095).astype(np.uint16)
    frame = imagecodecs.htj2k_encode(pixels, reversible=False)
    found = decode_frame(frame, layout(16, shape=(64, 64)), uid.HTJ2K)
    assert np.abs(found.astype(int) - pixels).max() < 40


@pytest.mark.parametrize(("dtype", "syntax"), [("u1", uid.JPEGBaseline8Bit), ("u2", uid.JPEGExtended12Bit)])
def test_lossy_frames_are_those_of_the_library(dtype, syntax):
    bits = 8 if dtype == "u1" else 12
    frame = imagecodecs.jpeg8_encode(ramp(bits).astype(dtype), level=95, bitspersample=bits)
    found = decode_frame(frame, layout(bits), syntax)
    assert np.array_equal(found, imagecodecs.jpeg8_decode(frame))


class _Runner:
    """What pydicom's own RLE encoder asks of a frame."""

    def __init__(self, values):
        self.bits_allocated, self.samples_per_pixel = 8 * values.itemsize, 1
        self.rows, self.columns = values.shape
        self.transfer_syntax = uid.RLELossless

    def get_option(self, name, default=None):
        return {"byteorder": "<"}.get(name, default)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4"])
@pytest.mark.parametrize("kind", ["noise", "runs", "flat"])
def test_run_lengths_are_those_of_pydicom(dtype, kind):
    values = np.random.default_rng(3).integers(0, 1 << 31, (33, 47)).astype(dtype)
    if kind == "runs":
        values = np.sort(values >> (values.itemsize * 8 - 4), axis=1)
    if kind == "flat":
        values[:] = 7
    frame = bytes(pydicom_rle(values.astype(values.dtype.newbyteorder("<")).tobytes(), _Runner(values)))
    kind_ = values.dtype.kind == "i"
    shape = layout(8 * values.itemsize, allocated=8 * values.itemsize, is_signed=kind_, shape=values.shape)
    for number in (0, 1):
        found = decode_frame(frame, shape, uid.RLELossless, number=number)
        assert found.dtype == values.dtype
        assert np.array_equal(found, values)


def test_frames_may_be_begun_ahead():
    planes = [noise(12, seed).astype(np.uint16) for seed in range(20)]
    frames = [lossless_jpeg(p, precision=12) for p in planes]
    pending = [begin_frame(f, layout(12), uid.JPEGLosslessSV1, number=n) for n, f in enumerate(frames)]
    assert all(np.array_equal(p.result(), plane) for p, plane in zip(pending, planes, strict=True))
