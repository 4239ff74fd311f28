"""The source tree, parsed once for all house tests."""

import ast
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "isocenter"


@dataclass(frozen=True)
class Module:
    """One module of the package: its dotted name, its text and its tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        return [n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]

    def place(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Tell every offender, one a line, where none was expected."""
    if op != "==" or right or not isinstance(left, list | set | dict):
        return None
    lines = [f"{k}: {v}" for k, v in left.items()] if isinstance(left, dict) else map(str, left)
    return ["none was expected, and these were found:", *sorted(lines)]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    return [_parse(path) for path in sorted(PACKAGE.rglob("*.py"))]


@pytest.fixture(scope="session")
def committed() -> list[Path]:
    """The files that a commit holds or would hold: tracked ones, and new ones that are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.fixture(scope="session")
def reference() -> dict[str, str]:
    """The generated reference pages, by file name."""
    from scripts.reference.pages import pages

    return pages()


def _parse(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    name = ".".join(parts).removesuffix(".__init__")
    return Module(name, path, text, ast.parse(text))
