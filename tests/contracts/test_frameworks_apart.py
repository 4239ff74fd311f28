"""TensorFlow, JAX and grain keep the contract too, in an environment of their own with the pins of `frameworks.txt`.

They are large and nobody needs them to work on the package, so this runs where ISOCENTER_FRAMEWORKS is set.
"""

import os
import subprocess
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.index.peers import interpreter

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TESTS = (
    "tests/contracts/test_frameworks.py",
    "tests/house/test_committed_files.py::test_what_is_installed_apart_has_a_permissive_licence",
)


@pytest.fixture(scope="module")
def passed(tmp_path_factory):
    """Names of the tests that passed there."""
    if "ISOCENTER_FRAMEWORKS" not in os.environ:
        pytest.skip("ISOCENTER_FRAMEWORKS is not set")
    record = tmp_path_factory.mktemp("apart") / "record.xml"
    command = [interpreter("frameworks", lists=HERE), "-m", "pytest", "-p", "no:cacheprovider", "-q"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [*command, f"--junitxml={record}", *TESTS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [case.get("name", "") for case in ET.parse(record).iter("testcase") if not list(case)]


@pytest.mark.parametrize("framework", ["jax", "tensorflow"])
def test_it_keeps_the_contract(passed, framework):
    ends = Counter(name.partition("[")[2] for name in passed)
    assert ends["numpy]"] >= 6
    assert ends[f"{framework}]"] == ends["numpy]"] + 1  # the contract, and the licence


@pytest.mark.parametrize(("word", "least"), [("tensorflow_dataset", 3), ("jax", 1), ("grain", 1)])
def test_what_is_its_own_holds(passed, word, least):
    assert sum(word in name.partition("[")[0] for name in passed) == least


def test_the_pins_are_those_of_the_package():
    pins = set((ROOT / "constraints.txt").read_text(encoding="utf-8").lower().splitlines())
    listed = (HERE / "frameworks.txt").read_text(encoding="utf-8").lower().split()
    assert set(listed) - pins == set()
