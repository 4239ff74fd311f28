"""Imports are where a reader looks for them, and the package is light until something heavy is asked for."""

import ast
import subprocess
import sys

import pytest

HEAVY = {"numpy", "scipy", "numba", "torch", "pydicom", "nibabel", "nrrd", "imagecodecs", "h5py", "hdf5plugin", "lmdb",
         "pyarrow", "pydantic", "ruamel", "dask", "jinja2", "matplotlib", "typer", "rich"}  # fmt: skip


def test_no_import_is_hidden_behind_type_checking(modules):
    assert [m.name for m in modules if "TYPE_CHECKING" in m.text] == []


def test_no_import_stands_inside_a_function(modules):
    hidden = [
        m.place(node)
        for m in modules
        if m.name != "isocenter.base.plugins"
        for function in m.functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_no_import_is_relative(modules):
    nodes = [(m, n) for m in modules for n in ast.walk(m.tree) if isinstance(n, ast.ImportFrom)]
    assert [m.place(n) for m, n in nodes if n.level] == []


def test_only_the_plugin_machine_imports_by_name(modules):
    wanted = {"importlib", "__import__", "runpy", "pkgutil"}
    found = {m.name for m in modules for n in ast.walk(m.tree) if wanted & _names(n)}
    assert found <= {"isocenter.base.plugins"}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import isocenter", set()),
        (
            """import sys; sys.argv = ['isocenter', '--help']
from isocenter.cli.main import main
try: main()
except SystemExit: pass""",
            {"typer", "rich"},
        ),
    ],
    ids=["import", "help"],
)
def test_what_is_light_loads_nothing_heavy(code, allowed):
    ask = "\nimport sys; print(*{m.partition('.')[0] for m in sys.modules}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + ask], capture_output=True, text=True, check=True)
    assert set(done.stderr.split()) & HEAVY <= allowed


def _names(node):
    if isinstance(node, ast.Import):
        return {a.name.partition(".")[0] for a in node.names} - (
            {"importlib"} if _is_metadata(node) else set()
        )
    if isinstance(node, ast.ImportFrom):
        return set() if node.module in {"importlib.metadata", "importlib.resources"} else {node.module}
    return {node.id} if isinstance(node, ast.Name) else set()


def _is_metadata(node):
    return all(a.name in {"importlib.metadata", "importlib.resources"} for a in node.names)
