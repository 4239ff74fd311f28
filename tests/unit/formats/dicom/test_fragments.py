import struct

import numpy as np
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.fragments import MAX_FRAGMENTS, find_frames

END = b"\xfe\xff\xdd\xe0\0\0\0\0"
RNG = np.random.default_rng(7)


def item(data=b""):
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data)) + data


def table(*offsets):
    return item(struct.pack(f"<{len(offsets)}I", *offsets))


def codestreams(count):
    """Frames of even length that end as codestreams do."""
    return [
        RNG.bytes(2 * int(RNG.integers(20, 60))).replace(b"\xff", b"\0") + b"\xff\xd9" for _ in range(count)
    ]


def found(*args, **options):
    return [bytes(frame) for frame in find_frames(*args, **options)]


def reason(*args, **options):
    with pytest.raises(FormatError) as caught:
        find_frames(*args, **options)
    return caught.value.reason


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_frames_are_those_of_pydicom(count, pieces, has_table):
    frames = codestreams(count)
    value = encapsulate(frames, fragments_per_frame=pieces, has_bot=has_table)
    expected = list(generate_frames(value, number_of_frames=count))
    assert found(value, count, is_value=True) == expected == frames
    whole = b"before" + value + END + b"after"
    frames = find_frames(whole, count, at=6)
    assert [bytes(f) for f in frames] == expected
    assert whole[frames.end :] == b"after"
    assert len(frames) == count


def test_frames_of_an_extended_offset_table_are_those_of_pydicom():
    frames = codestreams(4)
    value, offsets, lengths = encapsulate_extended(frames)
    expected = list(generate_frames(value, number_of_frames=4, extended_offsets=(offsets, lengths)))
    assert found(value, 4, extended=(offsets, lengths), is_value=True) == expected == frames


def test_an_extended_offset_table_may_leave_padding_out():
    data = item() + item(b"ab\xff\xd9") + item(b"d\xff\xd9\0") + END
    assert found(data, 2, extended=extended((0, 12), (4, 3))) == [b"ab\xff\xd9", b"d\xff\xd9"]


def test_a_frame_of_one_fragment_is_not_copied():
    value = bytearray(encapsulate([b"abcd"]))
    assert find_frames(value, is_value=True)[0].obj is value


def test_fragments_of_odd_length_are_taken_as_they_are():
    data = item() + item(b"abc") + item(b"d") + END
    assert found(data) == [b"abcd"] == list(generate_frames(data, number_of_frames=1))


def test_empty_fragments_add_nothing_and_an_empty_frame_is_told():
    assert found(item() + item() + item(b"ab") + item() + END) == [b"ab"]
    assert reason(item() + item() + item() + END) == "file/truncated"
    assert reason(item() + item(b"ab") + item() + END, 2) == "file/truncated"
    assert found(item() + item(b"a") + item(b"\xff\xd9") + item() + END) == [b"a\xff\xd9"]


@pytest.mark.parametrize("at", range(40))
def test_every_cut_is_told(at):
    whole = item() + item(b"ab\xff\xd9") + item(b"cd\xff\xd9") + END
    assert reason(whole[:at], 2) == "file/truncated"


def test_a_missing_end_is_told_unless_the_value_is_all_there_is():
    data = item() + item(b"abcd")
    assert reason(data) == "file/truncated"
    assert found(data, is_value=True) == [b"abcd"]
    assert reason(data + b"\0\0", is_value=True) == "file/truncated"
    assert reason(data + b"not an item", is_value=True) == "file/corrupt"


@pytest.mark.parametrize("length", [5, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_lies_is_told(length):
    data = item() + b"\xfe\xff\x00\xe0" + struct.pack("<I", length) + b"abcd" + END
    assert reason(data) in {"file/truncated", "file/corrupt"}


def test_a_length_that_is_too_short_is_told():
    data = item() + b"\xfe\xff\x00\xe0" + struct.pack("<I", 2) + b"abcd" + END
    assert reason(data) == "file/corrupt"


def test_an_end_with_a_length_is_told():
    assert reason(item() + item(b"ab") + b"\xfe\xff\xdd\xe0\2\0\0\0ab") == "file/corrupt"


@pytest.mark.parametrize("data", [b"", END, item() + END, item(b"\0\0\0\0") + END])
def test_nothing_is_told(data):
    assert reason(data) == "file/truncated"


@pytest.mark.parametrize(
    "offsets", [(0, 11), (0, 0), (12, 0), (4, 12), (0, 24), (0, 0x7FFFFFFF), (0,), (0, 12, 24), (12, 12)]
)
def test_a_wrong_offset_table_is_told(offsets):
    body = item(b"ab\xff\xd9") + item(b"cd\xff\xd9") + END
    assert found(table(0, 12) + body, 2) == [b"ab\xff\xd9", b"cd\xff\xd9"]
    assert reason(table(*offsets) + body, 2) == "file/corrupt"
    assert reason(item(b"\0\0\0") + body, 2) == "file/corrupt"


def extended(offsets, lengths):
    return struct.pack(f"<{len(offsets)}Q", *offsets), struct.pack(f"<{len(lengths)}Q", *lengths)


@pytest.mark.parametrize(
    ("offsets", "lengths"),
    [
        ((0, 11), (4, 4)),
        ((0, 1 << 63), (4, 4)),
        ((0, 12), (4, 5)),
        ((0, 12), (4, 1)),
        ((0, 12), (4, 1 << 40)),
        ((0,), (4,)),
        ((0, 12), (4,)),
        ((), (4, 4)),
        ((0, 12), ()),
    ],
)
def test_a_wrong_extended_offset_table_is_told(offsets, lengths):
    data = item() + item(b"ab\xff\xd9") + item(b"cd\xff\xd9") + END
    assert found(data, 2, extended=extended((0, 12), (4, 4))) == [b"ab\xff\xd9", b"cd\xff\xd9"]
    assert reason(data, 2, extended=extended(offsets, lengths)) == "file/corrupt"


def test_run_lengths_have_no_marker():
    data = item() + item(b"ab\xff\xd9") + item(b"cd") + END
    assert found(data, has_markers=False) == [b"ab\xff\xd9cd"]
    assert reason(data) == "file/corrupt"
    assert reason(data, 3, has_markers=False) == "file/corrupt"


@pytest.mark.parametrize("count", [1, 3, 5])
def test_another_number_of_frames_is_told(count):
    frames = codestreams(2)
    for pieces in (1, 2):
        value = encapsulate(frames, fragments_per_frame=pieces, has_bot=True)
        assert reason(value, count, is_value=True) == "file/corrupt"
    value = encapsulate(frames, fragments_per_frame=2, has_bot=False)
    assert reason(value, count, is_value=True) == "file/corrupt"


def test_padding_after_the_last_marker():
    for padding in (b"", b"\0\0", b" "):
        first = b"ab\xff\xd9" + padding
        data = item() + item(first) + item(b"c") + item(b"d\xff\xd9") + END
        assert found(data, 2) == [first, b"cd\xff\xd9"] == list(generate_frames(data, number_of_frames=2))


def test_there_is_a_limit_to_fragments_and_they_take_no_time():
    most = item() + item(b"\xff\xd9") * (MAX_FRAGMENTS - 1)
    assert len(find_frames(most, MAX_FRAGMENTS - 1, is_value=True)) == MAX_FRAGMENTS - 1
    assert reason(most + item() * 2, 1, is_value=True) == "file/too-large"
