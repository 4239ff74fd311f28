"""Each limit just under and just over; what is broken is refused, what is merely odd is not."""

import io
import struct
import time
import zlib

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.survey import MAX_INFLATED_BYTES, check_structure, groups_of
from isocenter.formats.limits import DEFAULT_LIMITS, Limits

EXPLICIT, IMPLICIT, BIG, DEFLATED = (f"1.2.840.10008.1.2{s}".encode() for s in (".1", "", ".2", ".1.99"))
UNDEFINED = 0xFFFFFFFF
LONG = {b"OB", b"OW", b"SQ", b"UN", b"UT"}
CLASS = (0x08, 0x16)
PIXELS = b"\xe0\x7f\x10\x00OW\0\0\x04\0\0\0abcd"


def element(tag, vr, value=b"", length=None, *, implicit=False, order="<"):
    length = len(value) if length is None else length
    head = struct.pack(f"{order}HH", *tag)
    if implicit:
        return head + struct.pack(f"{order}I", length) + value
    if vr in LONG:
        return head + vr + b"\0\0" + struct.pack(f"{order}I", length) + value
    return head + vr + struct.pack(f"{order}H", length) + value


def item(content=b"", length=None, order="<"):
    return struct.pack(f"{order}HHI", 0xFFFE, 0xE000, len(content) if length is None else length) + content


ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def file_of(body, syntax=EXPLICIT):
    padded = syntax + b"\0" * (len(syntax) % 2)
    meta = element((2, 0x10), b"UI", padded)
    return bytes(128) + b"DICM" + element((2, 0), b"UL", struct.pack("<I", len(meta))) + meta + body


def survey(data, limits=DEFAULT_LIMITS, **options):
    return check_structure(io.BytesIO(data), len(data), limits, **options)


def refusal(data, limits=DEFAULT_LIMITS):
    with pytest.raises(FormatError) as caught:
        survey(data, limits)
    return caught.value


def told(data, limits):
    error = refusal(data, limits)
    assert error.reason == "file/limit"
    return error.measured, error.expected


def nested(depth, length=UNDEFINED):
    if length == UNDEFINED:
        start = element((8, 0x1140), b"SQ", length=UNDEFINED) + item(length=UNDEFINED)
        return start * depth + (ITEM_END + SEQUENCE_END) * depth
    out = b""
    for _ in range(depth):
        out = element((8, 0x1140), b"SQ", item(out))
    return out


class TestLimits:
    def test_elements(self):
        limits = Limits(elements=50)
        body = element(CLASS, b"UI") + element((0x10, 0x20), b"LO") * 47
        assert survey(file_of(body), limits).elements == 50
        assert told(file_of(body + element((0x20, 0x0D), b"UI")), limits) == ("51 elements", "at most 50")

    def test_elements_inside_items_count(self):
        inside = element((8, 0x1140), b"SQ", item(element((0x10, 0x20), b"LO") * 20) * 3)
        assert survey(file_of(inside)).elements == 63
        assert told(file_of(inside), Limits(elements=62)) == ("63 elements", "at most 62")

    def test_items_of_all_sequences_count_as_elements_do(self):
        body = element((8, 0x1140), b"SQ", item() * 30) * 3
        assert survey(file_of(body), Limits(elements=90)).items == 30
        assert told(file_of(body), Limits(elements=89)) == ("90 elements", "at most 89")

    @pytest.mark.parametrize("length", [UNDEFINED, None])
    def test_depth(self, length):
        assert survey(file_of(nested(100, length))).depth == 100
        assert told(file_of(nested(101, length)), DEFAULT_LIMITS) == ("101 nested sequences", "at most 100")
        assert survey(file_of(nested(101, length)), Limits(depth=101)).depth == 101

    def test_a_hundred_thousand_levels(self):
        data = file_of(nested(100_000))
        survey(file_of(nested(3)))
        began = time.process_time()
        told(data, DEFAULT_LIMITS)
        assert time.process_time() - began < 0.5

    def test_items(self):
        body = element((8, 0x1140), b"SQ", item() * 30)
        assert survey(file_of(body), Limits(items=30)).items == 30
        assert told(file_of(body), Limits(items=29)) == ("30 items in a sequence", "at most 29")

    def test_text_values(self):
        for count in (65_536, 65_538):
            name = element((0x10, 0x10), b"PN", b"x" * count, implicit=True)
            data = file_of(element(CLASS, b"UI", implicit=True) + name, IMPLICIT)
            if count == 65_536:
                assert survey(data).text_bytes == count
            else:
                assert told(data, DEFAULT_LIMITS) == ("65,538 bytes in a text", "at most 65,536")
        unknown = element((0x10, 0x10), b"UN", b"x" * 65_538)
        assert told(file_of(unknown), DEFAULT_LIMITS)[0] == "65,538 bytes in a text"
        inside = element((8, 0x1140), b"SQ", item(element((0x40, 0xA160), b"UT", b"x" * 70_000)))
        assert told(file_of(inside), DEFAULT_LIMITS)[0] == "70,000 bytes in a text"

    def test_numbers_in_text_and_binary_values_may_be_long(self):
        points = element((0x3006, 0x50), b"DS", b"1\\" * 100_000, implicit=True)
        private = element((9, 0x1010), b"UN", b"x" * 200_000, implicit=True)
        data = file_of(element(CLASS, b"UI", implicit=True) + private + points, IMPLICIT)
        assert survey(data, Limits(header_bytes=4096)).text_bytes < 100

    def test_header_bytes(self):
        body = element((9, 0x1010), b"OB", b"x" * 1000) * 10
        used = survey(file_of(body)).header_bytes
        assert 10_000 < used < 10_300
        assert survey(file_of(body), Limits(header_bytes=used)).header_bytes == used
        assert told(file_of(body), Limits(header_bytes=used - 1)) == (
            f"{used:,} bytes of header",
            f"at most {used - 1:,}",
        )

    def test_seconds(self):
        data = file_of(element(CLASS, b"UI"))
        survey(data, deadline=time.monotonic() + 100)
        with pytest.raises(FormatError) as caught:
            survey(data, Limits(seconds=2), deadline=time.monotonic() - 1.5)
        assert (caught.value.reason, caught.value.expected) == ("file/limit", "at most 2 s")
        assert caught.value.measured.startswith("3.")

    def test_a_million_elements(self):
        survey(file_of(element(CLASS, b"UI")))
        for body in (
            element((0x10, 0x20), b"LO") * 1_000_000,
            element((8, 0x1140), b"SQ", item() * 1_000_000),
            element((8, 0x1140), b"SQ", item(element((9, 0x1010), b"LO") * 1_000_000)),
        ):
            began = time.process_time()
            told(file_of(body), DEFAULT_LIMITS)
            assert time.process_time() - began < 1

    def test_deflated_data_sets_are_surveyed(self):
        body = element(CLASS, b"UI") + element((0x10, 0x20), b"LO") * 60
        packed = zlib.compress(body, wbits=-15)
        assert survey(file_of(packed, DEFLATED)).elements == 63
        told(file_of(packed, DEFLATED), Limits(elements=62))
        assert refusal(file_of(packed[:-3], DEFLATED)).reason == "file/truncated"
        stream = zlib.compressobj(wbits=-15)
        bomb = b"".join(stream.compress(bytes(1 << 20)) for _ in range((MAX_INFLATED_BYTES >> 20) + 1))
        assert refusal(file_of(bomb + stream.flush(), DEFLATED)).reason == "file/too-large"


class Counting(io.BytesIO):
    count = 0

    def read(self, size=-1):
        data = super().read(size)
        self.count += len(data)
        return data


def test_long_values_are_jumped_over():
    body = element((9, 0x1010), b"OB", bytes(30 << 20)) + element((0x10, 0x20), b"LO", b"PID!") + PIXELS
    file = Counting(file_of(body))
    found = check_structure(file, len(file.getvalue()), DEFAULT_LIMITS)
    assert found.pixels == len(file.getvalue()) - len(PIXELS)
    assert file.count < 1 << 20


def test_a_file_that_becomes_shorter():
    data = file_of(element(CLASS, b"UI") * 9000)
    with pytest.raises(FormatError) as caught:
        check_structure(io.BytesIO(data[:-5000]), len(data), DEFAULT_LIMITS)
    assert caught.value.reason == "file/changed"


class TestLengths:
    def test_beyond_the_file(self):
        error = refusal(file_of(element((9, 0x1010), b"OB", b"x" * 10, length=5000)))
        assert (error.reason, error.message) == ("file/truncated", "an element ends beyond the file")
        assert int(error.expected.split()[0]) - int(error.measured.split()[0]) == 4990

    @pytest.mark.parametrize("implicit", [False, True])
    def test_longer_than_what_holds_it(self, implicit):
        syntax = IMPLICIT if implicit else EXPLICIT
        first, last = (element(tag, b"UI", b"1.", implicit=implicit) for tag in (CLASS, (0x20, 0x0D)))
        inside = element((0x10, 0x20), b"LO", b"AB", implicit=implicit)
        for content in (
            item(inside, length=len(inside) + 4),
            item(element((0x10, 0x20), b"LO", b"AB", length=6, implicit=implicit)),
        ):
            sequence = element((8, 0x1140), b"SQ", content, implicit=implicit)
            assert refusal(file_of(first + sequence + last * 9, syntax)).reason == "file/corrupt"

    def test_an_undefined_item_may_not_leave_its_sequence(self):
        inside = element((0x10, 0x20), b"LO", b"AB" * 20)
        held = element((8, 0x1140), b"SQ", item(inside, length=UNDEFINED)[:-30])
        assert refusal(file_of(held + b"\0" * 200)).reason == "file/corrupt"

    def test_binary_values_that_look_like_sequences_are_none(self):
        lies = item(b"\x08\x00\x16\x00" + struct.pack("<I", 1 << 20), length=1 << 24)
        for body, syntax in (
            (element((9, 0x1010), b"", lies, implicit=True), IMPLICIT),
            (element((9, 0x1010), b"UN", lies), EXPLICIT),
            (element((9, 0x1010), b"OB", lies), EXPLICIT),
        ):
            first = element(CLASS, b"UI", b"1.", implicit=syntax == IMPLICIT)
            assert survey(file_of(first + body, syntax)).is_complete

    def test_sequences_without_an_end(self):
        for body in (
            element((8, 0x1140), b"SQ", item() * 3, length=UNDEFINED),
            element((8, 0x1140), b"SQ", item(element(CLASS, b"UI"), length=UNDEFINED), length=UNDEFINED),
        ):
            error = refusal(file_of(body))
            assert (error.reason, error.message) == ("file/truncated", "a sequence has no end")

    def test_an_item_that_its_sequence_ends(self):
        body = element((8, 0x1140), b"SQ", item(element((0x10, 0x20), b"LO"), length=UNDEFINED))
        assert survey(file_of(body + element((0x20, 0x0D), b"UI"))).elements == 5

    def test_records_of_a_directory_are_not_looked_into(self):
        broken = element((4, 0x1220), b"SQ", item(element((4, 0x1430), b"CS", b"AB"), length=50))
        assert survey(file_of(broken)).is_complete


class TestOddities:
    def test_unknown_and_unordered(self):
        body = (
            element((0x20, 0x0D), b"UI", b"1.") + element(CLASS, b"UI", b"1.") + element((9, 1), b"ZZ", b"ab")
        )
        assert survey(file_of(body + PIXELS)).pixels

    @pytest.mark.parametrize("vr", [b"SQ", b"UN"])
    def test_implicit_items_of_an_explicit_data_set(self, vr):
        inside = element((0x10, 0x20), b"LO", b"ABCD", implicit=True) * 5
        body = element((8, 0x1140), vr, item(inside) + SEQUENCE_END, length=UNDEFINED)
        assert survey(file_of(body)).elements == 8

    def test_pixels_of_an_icon_are_not_the_end(self):
        fragments = element((0x7FE0, 0x10), b"OB", item(b"abcd") * 2 + SEQUENCE_END, length=UNDEFINED)
        body = element((0x88, 0x200), b"SQ", item(fragments)) + element((0x20, 0x0D), b"UI") + PIXELS
        found = survey(file_of(body))
        assert (found.elements, found.depth) == (5, 1)
        assert found.pixels == len(file_of(body)) - len(PIXELS)

    @pytest.mark.parametrize("data", [b"", bytes(128) + b"DICM", b"\x08\x00", bytes(7), bytes(500)])
    def test_next_to_nothing(self, data):
        assert survey(data).pixels is None

    def test_without_file_meta(self):
        assert survey(element(CLASS, b"UI", b"1.") * 3).elements == 3
        assert survey(element(CLASS, b"UI", b"1.", implicit=True) * 3).elements == 3
        big = survey(element(CLASS, b"UI", b"1.", order=">") * 3)
        assert (big.elements, big.is_big) == (3, True)

    def test_noise_is_left_to_the_parser_or_refused(self):
        def outcome(data):
            try:
                return survey(data).is_complete
            except FormatError as error:
                return error.reason

        noise = [np.random.default_rng(seed).bytes(3000) for seed in range(300)]
        seen = {outcome(file_of(n, syntax)) for n in noise for syntax in (EXPLICIT, IMPLICIT, BIG)}
        assert seen <= {True, False, "file/corrupt", "file/truncated"}


class TestTwice:
    @pytest.mark.parametrize(
        ("tag", "keyword"),
        [
            ((0x10, 0x20), "PatientID"),
            ((0x20, 0x0D), "StudyInstanceUID"),
            ((0x20, 0x0E), "SeriesInstanceUID"),
            ((8, 0x18), "SOPInstanceUID"),
            ((0x10, 0x10), "PatientName"),
            ((0x28, 0x1052), "RescaleIntercept"),
            ((0x18, 0x50), "SliceThickness"),
            ((0x54, 0x1006), "SUVType"),
            ((0x6002, 0x100), "OverlayBitsAllocated"),
        ],
    )
    def test_with_another_value(self, tag, keyword):
        one, other = element(tag, b"UI", b"1.23"), element(tag, b"UI", b"1.24")
        error = refusal(file_of(one + element((9, 1), b"LO") + other))
        assert (error.reason, error.message) == ("file/corrupt", "an element is there twice")
        assert (error.measured, error.expected) == (keyword, "once")
        assert refusal(file_of(one + element(tag, b"UI") + other)).measured == keyword

    def test_with_the_same_value(self):
        found = survey(file_of(element((0x10, 0x20), b"LO", b"AB  ") + element((0x10, 0x20), b"LO", b"AB")))
        assert found.repeated == ("PatientID",)
        assert survey(file_of(element((0x10, 0x20), b"LO", b"AB"))).repeated == ()

    def test_long_values_are_told_apart_by_their_length(self):
        one, other = (element((8, 8), b"CS", b"A" * n) for n in (2000, 2002))
        assert survey(file_of(one + one)).repeated == ("ImageType",)
        assert refusal(file_of(one + other)).measured == "ImageType"

    def test_of_the_data_set_alone(self):
        inside = element((8, 0x1140), b"SQ", item(element((8, 0x18), b"UI", b"1.23")))
        survey(file_of(element((8, 0x18), b"UI", b"1.24") + inside))
        twice = element((8, 0x18), b"UI", b"1.23") + element((8, 0x18), b"UI", b"1.24")
        survey(file_of(element((8, 0x1140), b"SQ", item(twice))))

    def test_of_what_nobody_reads(self):
        survey(file_of(element((8, 0x15), b"LO", b"A ") + element((8, 0x15), b"LO", b"B ")))


class TestGroups:
    WANTED = np.array([0x00209113_00200032], np.int64)

    def frame(self, value):
        return item(element((0x20, 0x9113), b"SQ", item(element((0x20, 0x32), b"DS", value))))

    def test_values_are_found(self):
        body = element(CLASS, b"UI") + element((0x5200, 0x9230), b"SQ", self.frame(b"1\\2\\3 ") * 3) + PIXELS
        data = file_of(body)
        found = survey(data, wanted=self.WANTED)
        groups = groups_of(found, DEFAULT_LIMITS)
        assert (found.frames, groups.frames, found.is_ordered) == (3, 3, True)
        assert [groups.data[o : o + n] for o, n in groups.found[:, 2:4].tolist()] == [b"1\\2\\3 "] * 3
        assert groups.found[:, 1].tolist() == [0, 1, 2]

    def test_what_they_say_twice_must_be_the_same(self):
        def plane(*values):
            return element(
                (0x20, 0x9113), b"SQ", item(b"".join(element((0x20, 0x32), b"DS", v) for v in values))
            )

        def groups(*frames):
            body = element((0x5200, 0x9230), b"SQ", b"".join(map(item, frames))) + PIXELS
            return groups_of(survey(file_of(body), wanted=self.WANTED), DEFAULT_LIMITS)

        assert groups(plane(b"1\\2\\3 ", b"1\\2\\3"), plane(b"4\\5\\6 ")).frames == 2
        for frame in (plane(b"1\\2\\3 ", b"1\\2\\4 "), plane(b"1\\2\\3 ") + plane(b"1\\2\\4 ")):
            with pytest.raises(FormatError, match="say one thing twice"):
                groups(plane(b"1\\2\\3 "), frame)

    def test_there_may_be_more_elements_in_them(self):
        body = element((0x5200, 0x9230), b"SQ", self.frame(b"") * 50)
        assert survey(file_of(body), Limits(elements=10)).elements == 103
        told(file_of(body), Limits(elements=9))

    def test_what_belongs_before_them_may_follow(self):
        body = element((0x5200, 0x9230), b"SQ", self.frame(b"")) + element((0x28, 0x10), b"US", b"\1\0")
        assert not survey(file_of(body)).is_ordered

    def test_broken_ones_are_refused(self):
        stray = element((0x5200, 0x9230), b"SQ", self.frame(b"") + element((9, 1), b"LO", b"abcd"))
        found = survey(file_of(stray))
        with pytest.raises(FormatError) as caught:
            groups_of(found, DEFAULT_LIMITS)
        assert caught.value.reason == "file/corrupt"

    def test_large_ones_are_refused(self):
        padding = item(element((9, 0x1010), b"OB", bytes(100_000)))
        found = survey(file_of(element((0x5200, 0x9230), b"SQ", padding)))
        assert groups_of(found, Limits(header_bytes=101_000)).frames == 1
        with pytest.raises(FormatError) as caught:
            groups_of(found, Limits(header_bytes=99_000))
        assert caught.value.reason == "file/limit"
