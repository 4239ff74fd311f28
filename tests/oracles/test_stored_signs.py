"""Signs of compressed values: what stream and header say of bits and sign, in every combination, as imagecodecs writes them."""

import imagecodecs
import numpy as np
import pytest
from pydicom import uid

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.codestream import jpeg, jpeg_2000
from isocenter.formats.dicom.layout import Layout
from isocenter.formats.dicom.pixels import decode_frame
from tests.oracles.plain_jpeg import lossless_jpeg

SHAPE = (24, 31)


def noise(low, high, dtype=np.int16):
    return np.random.default_rng(high - low).integers(low, high, SHAPE).astype(dtype)


def j2k(pixels, bits):
    return imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k", bitspersample=bits)


def jpegls(pixels, bits):
    """imagecodecs counts the bits by itself; that they are those of the test is seen to."""
    frame = bytearray(imagecodecs.jpegls_encode(pixels))
    at = frame.index(b"\xff\xf7")
    assert frame[at + 4] == bits
    return bytes(frame)


def ljpeg(pixels, bits):
    return lossless_jpeg(pixels.astype(np.int64), precision=bits)


def high_throughput(pixels, bits):
    frame = bytes(imagecodecs.htj2k_encode(pixels, reversible=True))
    assert jpeg_2000(frame).precision == bits
    return frame


def layout(bits, *, is_signed=True, allocated=16):
    dtype = np.dtype(f"{'i' if is_signed else 'u'}{allocated // 8}")
    return Layout(rows=SHAPE[0], columns=SHAPE[1], bits_stored=bits, dtype=dtype)


def decoded(frame, syntax, header):
    return decode_frame(frame, header, syntax)


def refusal(frame, syntax, header):
    with pytest.raises(FormatError) as caught:
        decoded(frame, syntax, header)
    return caught.value


@pytest.mark.parametrize("stored", [12, 13, 16])
@pytest.mark.parametrize("precision", [12, 14, 16])
def test_a_stream_that_knows_its_sign_is_believed(precision, stored):
    """Whatever the header says of bits (PS3.5 8.2.4); what is beyond them is counted when the volume is put together."""
    pixels = noise(-2048, 2048)
    frame = j2k(pixels, precision)
    assert (jpeg_2000(frame).precision, jpeg_2000(frame).is_signed) == (precision, True)
    assert np.array_equal(decoded(frame, uid.JPEG2000Lossless, layout(stored)), pixels)


def test_a_stream_that_knows_its_sign_in_a_header_without():
    assert refusal(j2k(noise(-2048, 2048), 12), uid.JPEG2000Lossless, layout(16, is_signed=False)).reason == (
        "read/values"
    )
    pixels = noise(0, 2048)
    found = decoded(j2k(pixels, 12), uid.JPEG2000Lossless, layout(12, is_signed=False))
    assert np.array_equal(found, pixels)
    assert found.dtype == np.uint16


ENCODERS = [(j2k, uid.JPEG2000Lossless), (ljpeg, uid.JPEGLossless)]


@pytest.mark.parametrize(("encode", "syntax"), ENCODERS)
@pytest.mark.parametrize("bits", [9, 12, 13, 16])
def test_bits_of_signed_values_in_a_stream_without_sign(encode, syntax, bits):
    """As pydicom has them (its issue 1149): two's complement in the bits of the stream, which are the stored ones."""
    pixels = noise(-(1 << (bits - 1)), 1 << (bits - 1))
    unsigned = pixels.view(np.uint16) & np.uint16((1 << bits) - 1)
    assert np.array_equal(decoded(encode(unsigned, bits), syntax, layout(bits)), pixels)


@pytest.mark.parametrize(
    ("encode", "syntax"), [*ENCODERS, (jpegls, uid.JPEGLSLossless), (high_throughput, uid.HTJ2KLossless)]
)
def test_a_stream_of_more_bits_than_are_stored(encode, syntax):
    """Its sign bit is that of the stored ones, extended to the bits of the stream or not."""
    pixels = noise(-2048, 2048)
    extended, cut = pixels.view(np.uint16), pixels.view(np.uint16) & np.uint16(0x0FFF)
    assert np.array_equal(decoded(encode(extended, 16), syntax, layout(12)), pixels)
    if encode is not jpegls:  # whose encoder counts the bits that are used
        assert np.array_equal(decoded(encode(cut, 16), syntax, layout(12)), pixels)


@pytest.mark.parametrize(("encode", "syntax"), ENCODERS)
def test_a_sign_extended_to_bits_between(encode, syntax):
    """Fourteen bits of a stream, twelve stored: -1 is 0x3FFF and not 16,383."""
    pixels = noise(-2048, 2048)
    unsigned = pixels.view(np.uint16) & np.uint16(0x3FFF)
    assert np.array_equal(decoded(encode(unsigned, 14), syntax, layout(12)), pixels)


@pytest.mark.parametrize(("encode", "syntax"), ENCODERS)
@pytest.mark.parametrize("stored", [13, 16])
def test_fewer_bits_than_are_stored_may_mean_either(encode, syntax, stored):
    """3,000 in twelve bits is 3,000 of a header that is right about bits, or -1,096 of one that is wrong: neither is taken."""
    error = refusal(encode(noise(0, 4096, np.uint16), 12), syntax, layout(stored))
    assert (error.reason, error.measured, error.expected) == ("read/values", "12 bits", f"{stored} bits")
    # where no value has the bit, both are the same
    pixels = noise(0, 2048, np.uint16)
    assert np.array_equal(decoded(encode(pixels, 12), syntax, layout(stored)), pixels)


def test_fewer_bits_without_a_sign_are_plain():
    for encode, syntax in ENCODERS:
        pixels = noise(0, 4096, np.uint16)
        assert np.array_equal(decoded(encode(pixels, 12), syntax, layout(16, is_signed=False)), pixels)


def test_loss_and_a_sign_that_the_encoder_did_not_know():
    """Between -1 (4,095) and 0 a wave swings through all values (as in dcm4che issue 647)."""
    ramp = np.add.outer(np.arange(SHAPE[0]), np.arange(SHAPE[1])).astype(np.int16) - 20
    wrapped = ramp.view(np.uint16) & np.uint16(0x0FFF)
    frame = imagecodecs.jpeg2k_encode(
        wrapped, level=60, codecformat="j2k", bitspersample=12, reversible=False
    )
    assert not jpeg_2000(frame).is_reversible
    assert refusal(frame, uid.JPEG2000, layout(12)).reason == "read/values"
    # of one sign alone there is no such edge
    for values in (ramp + 400, ramp - 1000):
        wrapped = values.view(np.uint16) & np.uint16(0x0FFF)
        frame = imagecodecs.jpeg2k_encode(
            wrapped, level=60, codecformat="j2k", bitspersample=12, reversible=False
        )
        assert np.abs(decoded(frame, uid.JPEG2000, layout(12)) - values).max() <= 32


def test_loss_of_jpeg_and_a_sign():
    ramp = np.add.outer(np.arange(SHAPE[0]), np.arange(SHAPE[1])).astype(np.int8) - 20
    frame = imagecodecs.jpeg8_encode(ramp.view(np.uint8), level=90)
    assert jpeg(frame).is_transformed
    header = layout(8, allocated=8)
    assert refusal(frame, uid.JPEGBaseline8Bit, header).reason == "read/values"
    assert refusal(frame, uid.JPEGBaseline8Bit, layout(16)).reason == "read/values"
