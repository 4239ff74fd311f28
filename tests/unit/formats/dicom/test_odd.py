import random

import pytest

from isocenter.formats.dicom.odd import asked_value, odd_value, plain_text

ABSENT = ("", b"")
PIECES = ["a", "Ä", "é", " ", "\0", "\\", "^", "=", "王", "\x1b", "\n", "\x85", "0"]


def raws(codec, count):
    rng = random.Random(3)
    for _ in range(count):
        text = "".join(rng.choices(PIECES, k=rng.randint(1, 8)))
        # plain ASCII never comes here
        yield text.encode(codec, "ignore") + "ü".encode(codec)
        yield rng.randbytes(rng.randint(1, 6)) + "ü".encode(codec)


@pytest.mark.parametrize("characters", [b"", b"ISO_IR 100", b"ISO_IR 192", b"ISO_IR 192 ", b"ISO_IR 101"])
@pytest.mark.parametrize(
    ("keyword", "vr"), [("PatientName", "PN"), ("StudyDescription", "LO"), ("ConvolutionKernel", "")]
)
def test_usual_texts_are_what_the_slow_reader_says(keyword, vr, characters):
    codec = "utf-8" if b"192" in characters else "latin-1"
    n_plain = 0
    for raw in raws(codec, 400):
        text = plain_text(keyword, vr, raw, characters)
        if text is not None:
            n_plain += 1
            assert asked_value(keyword, vr, raw, ("CS", characters), ABSENT) == (text, False), raw
    assert (n_plain > 100) == (characters != b"ISO_IR 101")


@pytest.mark.parametrize(
    ("keyword", "vr", "raw", "expected"),
    [
        ("KVP", "DS", b"120 kV", (None, True)),
        ("KVP", "DS", b"1e400 ", (None, True)),
        ("KVP", "FL", b"\0\0\xf0\x42", (120.0, False)),
        ("Rows", "UL", b"\0\0\1\0", (None, True)),
        ("SOPInstanceUID", "UI", b"1.2.x3", (None, True)),
        ("PatientID", "UN", b"A1", ("A1", False)),
        ("LossyImageCompression", "UN", b"01", ("01", False)),
        ("ImageType", "CS", "É\\B".encode("latin-1"), (("É", "B"), False)),
        ("PixelPaddingValue", "", b"\0\0\0\0", (None, True)),
    ],
)
def test_what_is_odd_is_what_the_slow_reader_says(keyword, vr, raw, expected):
    assert odd_value(keyword, vr, raw, ABSENT, ABSENT) == expected


@pytest.mark.parametrize(("sign", "value"), [(b"\0\0", 63536), (b"\1\0", -2000)])
def test_the_sign_of_padding_is_that_of_the_pixels(sign, value):
    raw = (63536).to_bytes(2, "little")
    assert odd_value("PixelPaddingValue", "", raw, ABSENT, ("", sign)) == (value, False)
