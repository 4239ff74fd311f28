"""The doctor sees what is missing, low or broken, and says what to do."""

from typing import NamedTuple

import pytest

from isocenter.pipeline import doctor


class Usage(NamedTuple):
    free: int


def facts(workspace):
    return {f.name: f for f in doctor.examine(workspace)}


def test_all_is_well_here(tmp_path):
    found = facts(tmp_path)
    assert {f.state for f in found.values()} <= {"ok", "low", "absent"}
    assert found["numpy"].value.split(".")[0].isdecimal()
    assert found["cores"].value.split()[0].isdecimal()


def test_a_missing_library_is_broken_and_a_missing_extra_is_absent(tmp_path, monkeypatch):
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda n: "" if n in {"numpy", "torch"} else real(n))
    found = facts(tmp_path)
    assert (found["numpy"].state, found["numpy"].advice) == ("broken", "pip install numpy")
    assert found["extra torch"].state == "absent"
    assert found["extra torch"].advice == 'pip install "isocenter[torch]"'


@pytest.mark.parametrize(("free", "state"), [(1 << 30, "low"), (1 << 40, "ok")])
def test_the_disk_is_that_of_the_workspace_to_be(tmp_path, monkeypatch, free, state):
    asked = []

    def usage(place):
        asked.append(place)
        return Usage(free)

    monkeypatch.setattr(doctor.shutil, "disk_usage", usage)
    assert facts(tmp_path / "not" / "yet")["disk"].state == state
    assert asked == [tmp_path]


def test_a_folder_that_cannot_be_written_is_broken(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert facts(tmp_path)["disk"].state == "broken"


def test_the_kernel_cache_is_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    found = facts(tmp_path)["kernel cache"]
    assert (found.value, found.state) == ("NUMBA_CACHE_DIR", "ok")


def test_nothing_tells_a_path_of_this_machine(tmp_path):
    assert str(tmp_path) not in str(doctor.examine(tmp_path))
