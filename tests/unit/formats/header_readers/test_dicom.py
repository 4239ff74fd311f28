import numpy as np
import pytest

from isocenter.formats.header_readers import dicom
from isocenter.formats.limits import DEFAULT_LIMITS
from tests.contracts.files import ct_bytes, ct_dataset, dicom_bytes
from tests.contracts.headers import heads_of, read, scans_of


def test_rows_are_in_the_order_of_the_files():
    files = [ct_bytes(k, InstanceNumber=k) if k % 3 else b"no DICOM" for k in range(40)]
    scans = scans_of(read(files))
    assert [s and s.instance.instance_number for s in scans] == [k if k % 3 else None for k in range(40)]


def test_files_that_are_read_on_are_mixed_with_those_that_are_not():
    def file(k):
        out = ct_dataset(0, InstanceNumber=k, PatientName=f"Name^{k}")
        out.private_block(0x0009, "MAKER", create=True).add_new(0x10, "OB", bytes(20_000 * (k % 4)))
        return dicom_bytes(out)

    scans = scans_of(read([file(k) for k in range(30)]))
    assert [s.instance.patient_name for s in scans] == [f"Name^{k}" for k in range(30)]


@pytest.mark.parametrize("kept", [0, 300])
def test_many_files_are_read_as_each_alone(kept):
    """Files are read some dozens at a time; of those, all, some or none may end within their heads."""
    read([large(0)] * kept)  # what is left of an earlier batch is of no account

    def file(k):
        if k in {70, 200, 201}:
            return b"no DICOM"
        return large(k) if k in {71, 199} or 128 <= k < 192 else ct_bytes(k, InstanceNumber=k)

    files = [file(k) for k in range(260)]
    found = scans_of(read(files, head_bytes=6000))
    assert found[::7] == [scans_of(read([f], head_bytes=6000))[0] for f in files[::7]]
    numbers = [s and s.instance.instance_number for s in found]
    assert numbers == [None if k in {70, 200, 201} else k for k in range(260)]


def test_heads_may_lie_anywhere_in_the_arena():
    heads = heads_of([ct_bytes(1), ct_bytes(2)])
    arena = np.zeros(len(heads.arena) + 100, np.uint8)
    starts = heads.starts + np.array([7, 50])
    for start, old, count in zip(starts, heads.starts, heads.counts, strict=True):
        arena[start : start + count] = heads.arena[old : old + count]
    moved = type(heads)(arena, starts, heads.counts, heads.sizes, heads.more)
    assert scans_of(dicom.read(moved, DEFAULT_LIMITS)) == scans_of(dicom.read(heads, DEFAULT_LIMITS))


def test_the_arena_may_be_read_only():
    heads = heads_of([ct_bytes()])
    assert not heads.arena.flags.writeable
    arena = heads.arena.copy()
    writable = type(heads)(arena, heads.starts, heads.counts, heads.sizes, heads.more)
    assert scans_of(dicom.read(writable, DEFAULT_LIMITS)) == scans_of(dicom.read(heads, DEFAULT_LIMITS))
    assert np.array_equal(arena, heads.arena)


def large(k):
    """A header of which more than the first piece must be walked, with values at both ends of it."""
    out = ct_dataset(0, InstanceNumber=k)
    block = out.private_block(0x0009, "MAKER", create=True)
    for n in range(200):
        block.add_new(n, "OB", bytes(100))
    return dicom_bytes(out)


def test_only_pieces_with_values_are_kept(monkeypatch):
    monkeypatch.setattr(dicom, "_MOST_BYTES", 8 * 4096)
    files = [large(k) for k in range(8)]
    scans = scans_of(read(files, head_bytes=2048))
    assert [s.instance.instance_number for s in scans] == list(range(8))


def test_what_would_take_too_much_memory_is_left_out(monkeypatch):
    monkeypatch.setattr(dicom, "_MOST_BYTES", 0)

    def file(k):
        # values lie behind the first long one, in a piece that is kept, and behind the second, in another
        out = ct_dataset(0, InstanceNumber=k)
        for group in (0x0009, 0x0021):
            block = out.private_block(group, "MAKER", create=True)
            block.add_new(1, "OB", bytes(9000 if k % 2 else 10))
        return dicom_bytes(out)

    scans = scans_of(read([file(k) for k in range(6)], head_bytes=4096))
    assert [s is not None for s in scans] == [True, False] * 3
