"""What a native decoder hides is found: errors that its wrapper swallows, room that it does not write."""

import sys
from functools import lru_cache

import imagecodecs
import numpy as np
import pytest
from pydicom import uid

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.codestream import jpeg_2000
from isocenter.formats.dicom.decoders import Decoding

SHAPE = (64, 80)


@lru_cache
def values():
    noise = np.random.default_rng(5).integers(0, 300, SHAPE)
    return (1000 + np.add.outer(np.arange(64) * 9, np.arange(80) * 7) + noise).astype(np.uint16)


def frame_of(encode):
    return encode(values())


ENCODERS = {
    "openjph": (imagecodecs.htj2k_encode, imagecodecs.htj2k_decode),
    "libjpeg": (
        lambda a: imagecodecs.jpeg8_encode(a, lossless=True, bitspersample=16),
        imagecodecs.jpeg8_decode,
    ),
}


def broken(frame, number):
    """The frame with one bit of its data other than it was, or without its end."""
    random = np.random.default_rng(number)
    out = bytearray(frame)
    if number % 3 == 0:
        return bytes(out[: int(random.integers(len(out) // 3, len(out)))])
    at = int(random.integers(len(out) // 3, len(out) - 2))
    out[at] ^= 1 << int(random.integers(8))
    return bytes(out)


def decoded(decode, frame, fill):
    """The values, None where the decoder refuses, and whether an error was swallowed."""
    room, swallowed = np.full(SHAPE, fill, np.uint16), []
    before, sys.unraisablehook = sys.unraisablehook, swallowed.append
    try:
        decode(frame, out=room)
    except Exception:  # noqa: BLE001 - whatever it says
        return None, bool(swallowed)
    finally:
        sys.unraisablehook = before
    return room, bool(swallowed)


@pytest.mark.parametrize("name", ENCODERS)
def test_decoders_that_need_no_zeros_write_all_of_their_room_or_fail(name):
    encode, decode = ENCODERS[name]
    frame, n_other = frame_of(encode), 0
    for number in range(150):
        one = broken(frame, number)
        (first, is_hidden), (second, _) = (decoded(decode, one, fill) for fill in (0, 0x5555))
        if first is None or second is None or is_hidden:
            continue
        assert np.array_equal(first, second), number
        n_other += not np.array_equal(first, values())
    assert n_other > 5  # or nothing was broken


def test_an_error_that_the_wrapper_of_a_decoder_swallows_is_told():
    frame, n_found = frame_of(imagecodecs.htj2k_encode), 0
    for number in range(400):
        one = broken(frame, number)
        seen, is_hidden = decoded(imagecodecs.htj2k_decode, one, 0)
        if seen is None or not is_hidden:
            continue
        n_found += 1
        with pytest.raises(FormatError) as raised:
            Decoding(one, uid.HTJ2KLossless, jpeg_2000(one), is_checked=False).result()
        assert raised.value.reason == "file/corrupt"
        if n_found == 3:
            break
    assert n_found == 3  # without which the test shows nothing
