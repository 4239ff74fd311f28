"""What every image format promises, for each file in the folder."""

import os
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature, signature
from isocenter.formats.bytes import inflate_head
from isocenter.formats.image import FORMATS, HEAD_BYTES, format_of
from isocenter.model.reasons import REASONS
from tests.contracts.files import SECRETS, TEXT_FILES, image_samples, mutants, read_files, stack_of

NAMES = FORMATS.names()
SAMPLES = image_samples()
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)


def write(folder, sample, data=None):
    path = folder / "hidden-folder" / sample.name
    path.parent.mkdir(exist_ok=True)
    return sample.write(path.parent, data)


def check(error):
    assert error.reason in REASONS
    told = f"{error.message} {error.measured} {error.expected}"
    assert not [s for s in SECRETS if s in told]
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


def outcome(call):
    """What a reader makes of a file: a result or a `FormatError` that keeps the contract; nothing else passes."""
    try:
        return call()
    except FormatError as error:
        check(error)
        return None


def test_every_format_has_a_sample():
    assert {s.format for s in SAMPLES} == set(NAMES)
    assert all(FORMATS.summary(name) for name in NAMES)


@every_sample
def test_a_good_file_is_known_scanned_and_read(sample, tmp_path):
    path = write(tmp_path, sample)
    assert format_of(sample.data[:HEAD_BYTES]) == sample.format
    head = inflate_head(sample.data[:HEAD_BYTES], HEAD_BYTES)
    assert [name for name in NAMES if FORMATS.get(name).sniff(head)] == [sample.format]
    found = FORMATS.get(sample.format).scan(path, "f1", 3, "centre").instance
    assert (found.file_id, found.source, found.site, found.format) == ("f1", 3, "centre", sample.format)
    volume = read_files(sample.format, [path])
    assert volume.array.shape == volume.grid.shape
    assert volume.array.flags.c_contiguous
    assert volume.array.dtype.isnative
    assert volume.array.flags.writeable
    assert len(volume.slices) == volume.array.shape[0]


@every_sample
def test_a_cut_file_never_yields_a_volume(sample, tmp_path):
    path = write(tmp_path, sample)
    stack, known = stack_of(sample.format, [path]), FORMATS.get(sample.format)
    whole = known.read(stack, [path])
    points = sorted({*np.linspace(0, len(sample.data) - 1, 100).astype(int).tolist(), len(sample.data) - 1})
    for cut in points:
        write(tmp_path, sample, sample.data[:cut])
        outcome(lambda: known.scan(path, "f", 0, ""))
        found = outcome(lambda: known.read(stack, [path]))
        # a header by itself may lack what is behind its last field
        assert found is None or (sample.beside and cut >= len(sample.data) - 4)
        assert found is None or np.array_equal(found.array, whole.array)


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.beside], ids=lambda s: s.name)
def test_voxels_beside_that_are_cut_never_yield_a_volume(sample, tmp_path):
    path = write(tmp_path, sample)
    name, data = sample.beside
    other, known = path.with_name(name), FORMATS.get(sample.format)
    stack = stack_of(sample.format, [path])
    assert known.scan(path, "f", 0, "").instance.data_name == name
    for cut in sorted({*np.linspace(0, len(data) - 1, 100).astype(int).tolist(), len(data) - 1}):
        other.write_bytes(data[:cut])
        outcome(lambda: known.scan(path, "f", 0, ""))
        with pytest.raises(FormatError) as caught:
            known.read(stack, [path])
        check(caught.value)


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.beside], ids=lambda s: s.name)
def test_voxels_beside_are_a_regular_file_there_or_refused(sample, tmp_path):
    path = write(tmp_path, sample)
    stack, known = stack_of(sample.format, [path]), FORMATS.get(sample.format)
    other = path.with_name(sample.beside[0])
    canary = tmp_path / "canary"
    canary.write_bytes(sample.beside[1])

    def refused():
        found = set()
        for call in (lambda: known.scan(path, "f", 0, ""), lambda: known.read(stack, [path])):
            with pytest.raises(FormatError) as caught:
                call()
            check(caught.value)
            found.add(caught.value.reason)
        return found

    other.unlink()
    assert refused() == {"file/truncated"}
    for make in (lambda: other.symlink_to(canary), lambda: os.mkfifo(other), other.mkdir):
        make()
        assert refused() == {"file/outside"}
        other.rmdir() if other.is_dir() and not other.is_symlink() else other.unlink()


@every_sample
def test_broken_files_raise_nothing_but_format_errors(sample, tmp_path):
    path = write(tmp_path, sample)
    stack, known = stack_of(sample.format, [path]), FORMATS.get(sample.format)
    results = []
    for data in mutants(sample.data, 400):
        known.sniff(data[:HEAD_BYTES])
        write(tmp_path, sample, data)
        outcome(lambda: known.scan(path, "f", 0, ""))
        results.append(outcome(lambda: known.read(stack, [path])))
    assert any(r is None for r in results)
    assert all(r is None or r.array.shape == stack.shape for r in results)


@pytest.mark.parametrize("name", NAMES)
class TestFormat:
    def test_sniffing_never_raises(self, name):
        rng = np.random.default_rng(0)
        sniff = FORMATS.get(name).sniff
        for length in (0, 1, 2, 3, 4, 63, 65, 131, 132, 347, 348, 352, 539, 4096):
            for _ in range(20):
                assert sniff(rng.bytes(length)) in {True, False}
            assert not sniff(bytes(length))
        for sample in SAMPLES:
            assert all(sniff(sample.data[:n]) in {True, False} for n in range(min(700, len(sample.data))))

    def test_other_files_are_not_claimed(self, name):
        assert not any(FORMATS.get(name).sniff(data[:HEAD_BYTES]) for data in TEXT_FILES)

    def test_anything_else_is_a_format_error(self, name, tmp_path):
        rng = np.random.default_rng(1)
        path = tmp_path / "hidden-folder"
        for data in (*TEXT_FILES, rng.bytes(5000), b"\x1f\x8b" + rng.bytes(400)):
            path.write_bytes(data)
            with pytest.raises(FormatError) as caught:
                FORMATS.get(name).scan(path, "f", 0, "")
            check(caught.value)

    def test_what_is_no_regular_file_is_not_opened(self, name, tmp_path):
        target = tmp_path / "target"
        target.write_bytes(b"canary")
        (tmp_path / "link").symlink_to(target)
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "folder").mkdir()
        for place in ("link", "pipe", "folder", "nowhere"):
            with pytest.raises(FormatError) as caught:
                FORMATS.get(name).scan(tmp_path / place, "f", 0, "")
            assert caught.value.reason == "file/unreadable"


@every_sample
def test_a_changed_file_is_not_taken_for_the_indexed_one(sample, tmp_path):
    path = write(tmp_path, sample)
    stack = stack_of(sample.format, [path])
    k, j, i = stack.shape
    with pytest.raises(FormatError) as caught:
        FORMATS.get(sample.format).read(replace(stack, shape=(k, j, i + 1)), [path])
    assert caught.value.reason == "file/changed"


def signed(path, sample):
    """What the index knows of a file, and of the one beside it."""
    own = signature(path)
    beside = signature(path.with_name(sample.beside[0])) if sample.beside else None
    return Signature(own.size, own.mtime_ns, beside)


def exchange(path, data=None):
    """Another file of that name: as long as before where nothing else is said, and of another time."""
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes() if data is None else data)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    other.replace(path)


def files_of(path, sample):
    return [path, *([path.with_name(sample.beside[0])] if sample.beside else [])]


@every_sample
def test_a_file_that_was_exchanged_since_the_index_is_not_read(sample, tmp_path):
    path = write(tmp_path, sample)
    stack, known, expected = stack_of(sample.format, [path]), FORMATS.get(sample.format), signed(path, sample)
    assert known.read(stack, [path], [expected]).array.shape == stack.shape
    for file in files_of(path, sample):
        data = file.read_bytes()
        for change in (
            lambda file=file: exchange(file),
            lambda file=file, data=data: exchange(file, data + b"\0"),
            lambda file=file: os.utime(file, ns=(0, 0)),
            lambda file=file: file.unlink(),
        ):
            path = write(tmp_path, sample)
            expected = signed(path, sample)
            change()
            with pytest.raises(FormatError) as caught:
                known.read(stack, [path], [expected])
            check(caught.value)
            # NIfTI does not name its data file, and finds none
            is_lost = sample.format == "nifti" and file != path and not file.exists()
            assert caught.value.reason == ("file/truncated" if is_lost else "file/changed")


@every_sample
def test_what_is_open_is_compared_and_not_what_has_its_name(sample, tmp_path, monkeypatch):
    path = write(tmp_path, sample)
    stack, known = stack_of(sample.format, [path]), FORMATS.get(sample.format)
    whole = known.read(stack, [path]).array
    real, opened = os.open, []
    reads = 0
    for at in range(20):
        for is_before in (True, False):
            path = write(tmp_path, sample)
            files, expected = files_of(path, sample), signed(path, sample)
            opened.clear()

            def exchanged(place, *rest, files=files, at=at, is_before=is_before, **names):
                """Open a file; at one of those moments another comes into its place."""
                is_now = place in files and len(opened) == at
                opened.extend([place] if place in files else [])
                if is_now and is_before:
                    exchange(place, place.read_bytes()[::-1])
                out = real(place, *rest, **names)
                if is_now and not is_before:
                    exchange(place, place.read_bytes()[::-1])
                return out

            with monkeypatch.context() as patch:
                patch.setattr(os, "open", exchanged)
                found = outcome(lambda expected=expected, path=path: known.read(stack, [path], [expected]))
            assert found is None or np.array_equal(found.array, whole)
            reads += found is not None
        if at >= len(opened):
            break
    # the last time nothing was exchanged, and the time before that only after the last file was open
    assert at < 20
    assert reads >= 3


@every_sample
def test_members_of_archives_are_compared_as_well(sample, tmp_path):
    path = write(tmp_path, sample)
    stack, known = stack_of(sample.format, [path]), FORMATS.get(sample.format)
    archive = tmp_path / "a.zip"

    def pack():
        with zipfile.ZipFile(archive, "w") as out:
            for file in files_of(path, sample):
                out.write(file, f"folder/{file.name}")

    pack()
    member = tmp_path / "a.zip!" / "folder" / sample.name
    expected = signed(member, sample)
    assert np.array_equal(known.read(stack, [member], [expected]).array, known.read(stack, [path]).array)
    os.utime(archive, ns=(9, 9))
    with pytest.raises(FormatError) as caught:
        known.read(stack, [member], [expected])
    assert caught.value.reason == "file/changed"
    path.write_bytes(path.read_bytes() + b"\0")
    pack()
    os.utime(archive, ns=(expected.mtime_ns, expected.mtime_ns))
    with pytest.raises(FormatError) as caught:
        known.read(stack, [member], [expected])
    assert caught.value.reason == "file/changed"
    archive.unlink()
    with pytest.raises(FormatError) as caught:
        known.read(stack, [member], [expected])
    assert caught.value.reason == "file/changed"
