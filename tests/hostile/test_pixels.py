"""Compressed pixels made to harm or mislead: nobody dies of them but a confined process, and each is read or has its reason."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from pydicom import uid

from isocenter.base.errors import FormatError
from isocenter.base.sandbox import Sandbox
from isocenter.formats.dicom import decoders
from isocenter.formats.dicom.file import read_dataset
from isocenter.formats.dicom.pixels import begin_frame, decode_frame, layout_of, stored_pixels
from isocenter.model.reasons import REASONS
from tests.hostile.bounded import bounded
from tests.hostile.corpus_pixels import (
    BROKEN,
    CUT,
    DISAGREE,
    LIMIT,
    ROWS,
    cases,
    file,
    flipped,
    good_frames,
    lossy_frames,
    plane,
    value,
)

CASES = cases()
CPU_SECONDS, MEMORY_BYTES = 20, 1 << 30


def read(path, data):
    path.write_bytes(data)
    return stored_pixels(read_dataset(path))


def reason_of(path, data):
    try:
        read(path, data)
    except FormatError as error:
        return error.reason
    return ""


@pytest.fixture(scope="module", autouse=True)
def _ready(tmp_path_factory):
    """What is compiled, and the process, are there before anything is bounded."""
    path = tmp_path_factory.mktemp("ready") / "file"
    for syntax, frame in good_frames().items():
        assert np.array_equal(read(path, file(value(frame), syntax)), plane()), syntax


@pytest.fixture(autouse=True)
def _bounds():
    with bounded(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES):
        yield


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_each_is_right_or_has_its_reason(case, tmp_path):
    if case.reasons:
        assert reason_of(tmp_path / "file", case.data) in case.reasons
    else:
        assert np.array_equal(read(tmp_path / "file", case.data), plane())


def test_every_reason_is_known():
    assert {r for c in CASES for r in c.reasons} - {""} <= set(REASONS)


def test_the_names_are_told_apart():
    assert len({c.name for c in CASES}) == len(CASES)


@pytest.mark.parametrize("syntax", {**good_frames(), **lossy_frames()}, ids=lambda s: s.keyword)
def test_flipped_bits_kill_nobody(syntax, tmp_path):
    """Most streams have no check sum, so a flipped bit may be other pixels; it is never another shape or a death."""
    frame = {**good_frames(), **lossy_frames()}[syntax]
    (tmp_path / "file").write_bytes(file(value(frame), syntax))
    layout = layout_of(read_dataset(tmp_path / "file"))
    found = set()
    for changed in flipped(frame, 60, seed=5):
        try:
            pixels = decode_frame(changed, layout, syntax)
        except FormatError as error:
            found.add(error.reason)
        else:
            assert (pixels.shape, pixels.dtype) == ((layout.rows, layout.columns), layout.dtype)
    assert found <= {"", BROKEN, CUT, LIMIT, DISAGREE, "file/unsupported", "read/values"}


def test_all_of_them_together_stay_below_a_gigabyte():
    """The most that the process which has decoded them, since it was last started, ever had in memory."""
    frame = good_frames()[uid.JPEG2000Lossless]
    sandbox = decoders._sandbox
    sandbox.call("openjpeg", frame, 2 * plane().size, *plane().shape, 2, 0)
    status = Path(f"/proc/{sandbox.process_id}/status").read_text(encoding="ascii")
    (kilobytes,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    assert 1 << 20 < kilobytes << 10 < 1 << 30


def test_a_process_killed_while_it_decodes_costs_nothing(tmp_path):
    frame = good_frames()[uid.JPEG2000Lossless]
    path = tmp_path / "file"
    path.write_bytes(file(value(frame), uid.JPEG2000Lossless))
    layout = layout_of(read_dataset(path))
    decode_frame(frame, layout, uid.JPEG2000Lossless)
    for _ in range(5):
        os.kill(decoders._sandbox.process_id, signal.SIGSTOP)
        pending = [begin_frame(frame, layout, uid.JPEG2000Lossless) for _ in range(2)]
        os.kill(decoders._sandbox.process_id, signal.SIGKILL)
        assert all(np.array_equal(p.result(), plane()) for p in pending)


@pytest.fixture
def evil(monkeypatch):
    """Decoders that do harm, in the place of ours."""

    def use(name):
        sandbox = Sandbox("tests.hostile.confined_calls", memory_bytes=32 << 20, seconds=1)
        monkeypatch.setattr(decoders, "_sandbox", sandbox)
        monkeypatch.setattr(decoders, "choice_of", lambda *_: decoders.Choice(first=name))
        return sandbox

    return use


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hang", "file/limit"),
        ("exit", "file/decoder-died"),
        ("refuse", "file/corrupt"),
        ("die", "file/decoder-died"),
    ],
)
def test_a_decoder_that_hangs_dies_or_leaves_is_one_refused_file(name, reason, evil, tmp_path):
    data = file(value(good_frames()[uid.JPEG2000Lossless]), uid.JPEG2000Lossless)
    sandbox = evil(name)
    assert reason_of(tmp_path / "file", data) == reason
    assert sandbox.call("copy", b"abc", 3) == b"abc"
    sandbox.close()


def test_decoders_that_disagree_are_told(monkeypatch, tmp_path):
    """Of restarts liblj92 knows nothing, which our choice of decoders knows."""
    from tests.oracles.plain_jpeg import lossless_jpeg

    frame = lossless_jpeg(plane(), precision=12, restart_rows=3)
    data = file(value(frame), uid.JPEGLosslessSV1)
    assert np.array_equal(read(tmp_path / "file", data), plane())
    wrong = decoders.Choice(first="libjpeg", second="liblj92")
    monkeypatch.setattr(decoders, "choice_of", lambda *_: wrong)
    assert reason_of(tmp_path / "file", data) == "read/decoders-disagree"
    layout = layout_of(read_dataset(tmp_path / "file"))
    every = decoders.FRAMES_PER_CHECK
    for number, is_read_twice in (
        (0, True),
        (1, False),
        (every - 1, False),
        (every, True),
        (every + 1, False),
    ):
        try:
            found = decode_frame(frame, layout, uid.JPEGLosslessSV1, number=number)
            assert not is_read_twice
            assert found.shape[0] == ROWS
        except FormatError:
            assert is_read_twice
