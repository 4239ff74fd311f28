import gc
import multiprocessing
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from isocenter.base.errors import StoreError
from isocenter.loading.shared import LEAST_SHARED_BYTES, Columns, Names, encoded

LARGE = {
    "numbers": np.arange(LEAST_SHARED_BYTES // 8, dtype=np.int64),
    "none": np.zeros((3, 0), np.float64),
    "flags": np.array([[True, False]] * 7),
    "names": encoded(["a", "Ärzte", ""]),
}
SMALL = {"numbers": np.arange(3)}


@pytest.mark.parametrize("arrays", [LARGE, SMALL])
def test_arrays_come_back_as_they_are(arrays):
    columns = Columns(arrays)
    for back in (columns, pickle.loads(pickle.dumps(columns))):
        assert list(back) == list(arrays)
        for name, array in arrays.items():
            assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(back[name], array)


def test_large_ones_travel_by_name_and_cannot_be_written():
    columns = Columns(LARGE)
    assert len(pickle.dumps(columns)) < 1000
    with pytest.raises(ValueError, match="read-only"):
        columns["numbers"][0] = 5


def test_the_file_goes_with_the_last_who_needs_it():
    columns = Columns(LARGE)
    path = columns._file.path
    second = pickle.loads(pickle.dumps(columns))
    del columns
    gc.collect()
    assert path.exists()
    third = pickle.loads(pickle.dumps(second))
    assert third["numbers"][-1] == LARGE["numbers"][-1]
    del second, third
    gc.collect()
    assert not path.exists()


def last(columns, answers):
    answers.put((int(columns["numbers"][-1]), len(columns)))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_another_process_reads_it_and_leaves_it(start):
    columns = Columns(LARGE)
    context = multiprocessing.get_context(start)
    answers = context.Queue()
    process = context.Process(target=last, args=(columns, answers))
    process.start()
    assert answers.get(timeout=120) == (LARGE["numbers"][-1], 4)
    process.join()
    gc.collect()
    assert columns._file.path.exists()


def looked_through(columns, answers):
    """Kilobytes of the file that this process has read, and those of them that no other process has."""
    assert columns["numbers"].sum() == LARGE["numbers"].sum()
    held, own = 0, 0
    is_of_it = False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        name, *rest = line.split()
        if not name.endswith(":"):
            is_of_it = line.endswith(str(columns._file.path))
        elif is_of_it:
            held += int(rest[0]) if name == "Rss:" else 0
            own += int(rest[0]) if name.startswith("Private_") else 0
    answers.put((held, own))


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_no_page_of_it_is_that_of_a_worker_alone(start):
    columns = Columns(LARGE)
    context = multiprocessing.get_context(start)
    answers = context.Queue()
    process = context.Process(target=looked_through, args=(columns, answers))
    process.start()
    held, own = answers.get(timeout=120)
    process.join()
    assert held >= LARGE["numbers"].nbytes // 1024
    assert own == 0


def test_what_went_with_its_process_is_told():
    columns = Columns(LARGE)
    sent = pickle.dumps(columns)
    del columns
    gc.collect()
    with pytest.raises(StoreError, match="has ended"):
        pickle.loads(sent)


def test_names_are_texts():
    names = Names(encoded(["b", "ä", "c"]))
    assert (names[1], names[-1], list(names)) == ("ä", "c", ["b", "ä", "c"])
    assert names[np.array([True, False, True])].tolist() == ["b", "c"]
    assert (len(names), "ä" in names) == (3, True)
