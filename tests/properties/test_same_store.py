"""A store of every backend is the same to the byte whoever builds it, and holds the same cases as one of any other."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

import isocenter
from isocenter.stores.shard import BACKENDS
from tests.properties.tiny import SITES, bytes_of, write_cohort, write_patient

PATIENTS = 5

# One machine, and another that has everything otherwise that should not matter.
HERE = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
THERE = {"PYTHONHASHSEED": "4711", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu"}
HERE |= {"BLOSC_CLEVEL": "1", "NUMBA_NUM_THREADS": "1"}
THERE |= {"BLOSC_CLEVEL": "9", "BLOSC_SHUFFLE": "NOSHUFFLE", "BLOSC_NTHREADS": "3"}
RUN = """
import os, sys, isocenter
os.umask(int(sys.argv[3], 8))
if __name__ == "__main__":
    assert isocenter.run(sys.argv[1], until="split", jobs=int(sys.argv[2])).gate is None
"""


def archive_of(folder, order):
    for n in order:
        write_patient(folder, SITES[n % 2], f"p{n}", seed=n)
    return folder


def store_of(folder, archive, backend, *, environment, jobs, executor, umask):
    config = write_cohort(folder, archive, executor=executor, store={"shards": 2, "backend": backend})
    (folder / "run.py").write_text(RUN)
    command = [sys.executable, str(folder / "run.py"), str(config), str(jobs), umask]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return bytes_of(folder / "work", below="store")


@pytest.mark.parametrize("backend", BACKENDS.names())
def test_workers_order_locale_time_zone_and_hash_seed_are_of_no_account(backend, tmp_path):
    first = archive_of(tmp_path / "a/archive", range(PATIENTS))
    second = archive_of(tmp_path / "b/archive", reversed(range(PATIENTS)))
    one = store_of(tmp_path / "a", first, backend, environment=HERE, jobs=1, executor="serial", umask="022")
    two = store_of(
        tmp_path / "b", second, backend, environment=THERE, jobs=2, executor="processes", umask="077"
    )
    suffix = BACKENDS.get(backend).suffix
    assert sum(name.endswith(f".{suffix}") for name in one) == 2
    assert [n for n in sorted({*one, *two}) if one.get(n) != two.get(n)] == []


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return archive_of(tmp_path_factory.mktemp("archive"), range(PATIENTS))


def built(folder, archive, backend, **more):
    config = write_cohort(folder, archive, store={"shards": 2, "backend": backend} | more)
    done = isocenter.run(config, until="split")
    assert done.gate is None
    return done, folder / "work"


@pytest.fixture(scope="module")
def works(archive, tmp_path_factory):
    return {b: built(tmp_path_factory.mktemp(b), archive, b)[1] for b in BACKENDS.names()}


@pytest.mark.parametrize("backend", BACKENDS.names())
def test_a_workspace_that_changes_its_backend_is_one_that_always_had_it(backend, works, archive, tmp_path):
    other = next(b for b in BACKENDS.names() if b != backend)
    shutil.copytree(works[other], tmp_path / "work")
    done, work = built(tmp_path, archive, backend)
    assert done.counts["cases_packed"] == PATIENTS
    changed, fresh = bytes_of(work, below="store"), bytes_of(works[backend], below="store")
    assert [n for n in sorted({*changed, *fresh}) if changed.get(n) != fresh.get(n)] == []
    assert isocenter.open(work).verify() == []


@pytest.mark.parametrize("backend", BACKENDS.names())
def test_a_new_case_rewrites_its_shard_alone_and_copies_the_rest(backend, works, tmp_path):
    shutil.copytree(works[backend], tmp_path / "work")
    grown = archive_of(tmp_path / "archive", range(PATIENTS))
    write_patient(grown, "south", "p9", seed=9)
    done, work = built(tmp_path, grown, backend)
    at_once = built(tmp_path / "again", grown, backend)[1]
    assert done.stages[-2].counts["built"] == 1
    assert bytes_of(work, below="store/shards") == bytes_of(at_once, below="store/shards")


def test_every_backend_gives_the_same_cases_and_samples(works, tmp_path):
    seen = {}
    for backend, work in works.items():
        moved = shutil.copytree(work / "store", tmp_path / backend)  # self-contained
        store = isocenter.open(moved, verify="read")
        arrays = {
            (case, name): (array.dtype.str, array.shape, np.asarray(array).tobytes())
            for case in store
            for name, array in store.arrays(case).items()
        }
        facts = {case: json.dumps(store.meta(case), sort_keys=True) for case in store}
        data = isocenter.dataset(store, "train", patch=(4, 4, 4), per_case=3, seed=5, framework="numpy")
        samples = [np.asarray(s["image"]).tobytes() for s in data]
        assert len(samples) > 0
        seen[backend] = (arrays, facts, samples)
    first, *others = seen.values()
    assert others
    assert all(other == first for other in others)
