"""Tests mirror the source, so that each is found where one looks for it."""

import ast
import re


def test_every_unit_test_mirrors_a_module(root):
    """Its folder is that of a room, its name begins with a module of that room, or with the room's own name."""
    unit, package = root / "tests" / "unit", root / "src" / "isocenter"
    strays = []
    for path in sorted(unit.rglob("test_*.py")):
        room = package / path.parent.relative_to(unit)
        names = {
            room.name,
            *(p.stem for p in room.rglob("*.py")),
            *(p.name for p in room.rglob("*") if p.is_dir()),
        }
        topic = path.stem.removeprefix("test_")
        if not any(topic == n or topic.startswith(f"{n}_") for n in names):
            strays.append(str(path.relative_to(root)))
    assert strays == []


def test_every_room_has_unit_tests(root):
    rooms = [p.parent for p in (root / "src/isocenter").glob("*/__init__.py")]
    tested = {p.name for p in (root / "tests/unit").iterdir() if any(p.rglob("test_*.py"))}
    assert {p.name for p in rooms} - tested == set()


def test_every_stage_has_unit_tests(root):
    stages = [p.parent.name for p in (root / "src/isocenter/stages").glob("*/__init__.py")]
    assert [s for s in stages if not any((root / "tests/unit/stages").glob(f"{s}/**/test_*.py"))] == []


def test_every_plugin_folder_has_a_contract_suite(modules, root):
    """A suite runs over all plug-ins of a folder, so that a new one is tested when its file exists."""
    texts = "\n".join(p.read_text(encoding="utf-8") for p in (root / "tests/contracts").glob("test_*.py"))
    folders = {
        (ast.literal_eval(node.value.args[0]), node.target.id)
        for m in modules
        for node in m.tree.body
        if isinstance(node, ast.AnnAssign) and _is_folder(node.value)
    }
    tested = {
        folder for folder, constant in folders if re.search(rf"\b{constant}\b", texts) or folder in texts
    }
    assert {folder for folder, _ in folders} - tested == set()


def test_test_folders_are_no_packages(root):
    assert list((root / "tests").rglob("__init__.py")) == []


def test_no_test_sleeps_or_is_left_out_without_a_reason(root):
    trees = {p: ast.parse(p.read_text(encoding="utf-8")) for p in sorted((root / "tests").rglob("*.py"))}
    wrong = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"time.sleep", "pytest.mark.skip"}
    ]
    assert wrong == []


def _is_folder(value):
    return isinstance(value, ast.Call) and ast.unparse(value.func) == "Plugins"
