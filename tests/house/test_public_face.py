"""The public names are sorted, true, typed and few."""

import ast
import importlib
import importlib.metadata

import isocenter


def test_the_public_names_are_sorted():
    assert isocenter.__all__ == sorted(isocenter.__all__)


def test_every_public_name_can_be_had():
    assert [n for n in isocenter.__all__ if getattr(isocenter, n, None) is None] == []


def test_every_public_name_is_listed_by_dir():
    assert set(isocenter.__all__) <= set(dir(isocenter))


def test_the_typed_face_names_the_same_things_at_the_same_homes(root):
    tree = ast.parse((root / "src/isocenter/__init__.pyi").read_text(encoding="utf-8"))
    typed = {
        alias.asname: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == alias.asname
    }
    assert typed == isocenter._HOMES


def test_the_typed_face_lists_the_same_names(root):
    tree = ast.parse((root / "src/isocenter/__init__.pyi").read_text(encoding="utf-8"))
    lists = [n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "__all__"]
    assert [ast.literal_eval(v) for v in lists] == [isocenter.__all__]


def test_every_public_name_says_what_it_is():
    assert [n for n in isocenter.__all__ if not getattr(isocenter, n).__doc__] == []


def test_every_list_of_public_names_in_a_room_is_sorted_and_true(modules):
    wrong = []
    for module in modules:
        names = _listed(module.tree)
        if names is not None:
            made = importlib.import_module(module.name)
            if list(names) != sorted(names) or not all(hasattr(made, n) for n in names):
                wrong.append(module.name)
    assert wrong == []


def test_the_version_is_that_of_the_installed_package():
    assert isocenter.__version__ == importlib.metadata.version("isocenter")


def _listed(tree):
    """What `__all__` of a module says, where it is spelt out."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value) if isinstance(node.value, ast.List | ast.Tuple) else None
    return None
