"""Commands are listed without being imported, and their flags come from the declared options."""

import json
import subprocess
import sys

import pytest

from isocenter.base.options import options_of
from isocenter.cli.flags import flag_of
from isocenter.cli.folder import COMMANDS, every_command
from isocenter.rules.select import ScreenOptions
from isocenter.stages.build.options import AgreementOptions, Standardise
from isocenter.stages.enrol.options import StoreOptions
from isocenter.stages.split.options import SplitOptions

HEAVY = ("numpy", "pyarrow", "pydicom", "torch", "numba", "h5py", "scipy", "ruamel", "nibabel", "matplotlib")
HOUSE = "run index screen enrol build split report rules explain verify doctor".split()  # noqa: SIM905

LISTING = """
import json, sys
from isocenter.cli.main import main
sys.stdout = open("/dev/null", "w")
try:
    main({words})
except SystemExit as leaving:
    assert leaving.code == 0
sys.__stdout__.write(json.dumps(sorted(sys.modules)))
"""


def test_the_commands_of_the_house_are_there():
    assert set(HOUSE) | {"config"} <= set(COMMANDS.names())
    assert {"config init", "config check", "config show", "config schema"} <= set(every_command())


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_imports_no_heavy_library_and_no_command(words):
    text = LISTING.format(words=words)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout))
    assert "isocenter.cli.folder" in modules
    assert modules.isdisjoint(HEAVY)
    assert not any(m.startswith("isocenter.cli.commands.") for m in modules)


def test_help_lists_every_command_with_the_first_line_of_its_file(say):
    said = say("--help")
    assert said.code == 0
    for name in COMMANDS.names():
        assert name in said.out
        assert COMMANDS.summary(name)[:40] in said.out


@pytest.mark.parametrize(
    ("name", "owners"),
    [
        ("screen", [ScreenOptions]),
        ("enrol", [StoreOptions]),
        ("build", [Standardise, AgreementOptions]),
        ("split", [SplitOptions]),
    ],
)
def test_every_option_of_a_stage_is_a_flag_with_the_help_of_its_field(name, owners):
    flags = {word: p.help for p in every_command()[name].params for word in p.opts}
    for option in (o for owner in owners for o in options_of(owner)):
        assert flags[flag_of(option)].startswith(option.help)


def test_a_wrong_command_is_a_usage_error_with_a_suggestion(say):
    said = say("verfy")
    assert said.code == 2
    assert "verify" in said.err
    assert said.out == ""


def test_a_wrong_flag_is_a_usage_error(say):
    assert say("doctor", "--jsn").code == 2


def test_the_version_is_printed(say):
    said = say("--version")
    assert (said.code, said.out.split()[0]) == (0, "isocenter")
