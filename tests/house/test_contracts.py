"""The contracts of the import linter forget nobody: rooms, stages, plug-in folders, one door per library."""

import ast
import tomllib

import pytest
from packaging.requirements import Requirement

# The rooms that may open each library; one that has no entry here may be opened anywhere.
FREE = {"numpy", "scipy", "numba"}
MODULE_OF = {"pynrrd": "nrrd", "ruamel.yaml": "ruamel", "simpleitk": "SimpleITK"}


@pytest.fixture(scope="module")
def contracts(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def test_every_plugin_folder_is_protected(contracts, modules):
    folders = {
        ast.literal_eval(node.args[0])
        for m in modules
        for node in ast.walk(m.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Plugins"
    }
    protected = next(c for c in contracts if c["type"] == "protected")["protected_modules"]
    assert set(protected) == folders


def test_every_stage_is_independent(contracts, root):
    stages = sorted(p.parent.name for p in (root / "src/isocenter/stages").glob("*/__init__.py"))
    independent = next(c for c in contracts if c["type"] == "independence")["modules"]
    assert sorted(independent) == [f"isocenter.stages.{s}" for s in stages]


def test_every_room_has_a_floor(contracts, root):
    package = root / "src/isocenter"
    rooms = {p.parent.name for p in package.glob("*/__init__.py")}
    rooms |= {p.stem for p in package.glob("*.py")} - {"__init__"}
    layers = next(c for c in contracts if c["type"] == "layers")
    assert layers["exhaustive"]
    assert {name.strip() for floor in layers["layers"] for name in floor.split("|")} == rooms


def test_every_library_has_one_door(contracts, root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [
        *project["dependencies"],
        *(r for n, rs in extras.items() if n not in {"dev", "docs", "all"} for r in rs),
    ]
    libraries = {MODULE_OF.get(Requirement(r).name, Requirement(r).name) for r in asked} - FREE
    doors = [c for c in contracts if c["type"] == "forbidden"]
    guarded = {module for c in doors for module in c["forbidden_modules"]}
    assert libraries - guarded == set()


def test_a_door_is_shut_to_every_room_but_one(contracts, root):
    """`testing` writes the files that tests read, so it may open every door."""
    rooms = {f"isocenter.{p.parent.name}" for p in (root / "src/isocenter").glob("*/__init__.py")}
    for contract in contracts:
        if contract["type"] == "forbidden":
            open_to = rooms - set(contract["source_modules"]) - {"isocenter.testing"}
            assert len(open_to) == 1, f"{contract['name']}: {sorted(open_to)}"
